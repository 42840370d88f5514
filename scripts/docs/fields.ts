/** One field of an answer. */
export type Field = Readonly<{ name: string; type: string }>;

type Schema = Readonly<{
  type?: string | readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  anyOf?: readonly Schema[];
  enum?: readonly unknown[];
  const?: unknown;
  additionalProperties?: Schema | boolean;
}>;

/** The fields of a JSON schema, outer ones first: `cpus[].busy_pct`. */
export function schemaFields(schema: Schema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, given]) => {
    const name = `${prefix}${key}`;
    const inner = withoutNull(given);
    const list = inner.items ? withoutNull(inner.items) : null;
    const own = { name: list ? `${name}[]` : name, type: typeName(given) };
    if (list?.properties) return [own, ...schemaFields(list, `${name}[].`)];
    return [own, ...schemaFields(inner, `${name}.`)];
  });
}

/** The one alternative beside null. */
function withoutNull(schema: Schema): Schema {
  return schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
}

function typeName(schema: Schema): string {
  const { anyOf, type, items, enum: values, const: fixed } = schema;
  if (anyOf) return anyOf.map(typeName).join(' or ');
  if (fixed !== undefined) return JSON.stringify(fixed);
  if (values) return values.map((value) => JSON.stringify(value)).join(', ');
  if (type === 'array') return items ? `list of ${typeName(items)}` : 'list';
  return Array.isArray(type) ? type.join(' or ') : String(type ?? 'any');
}

/** The last words of names that are units. */
const units: readonly (readonly [RegExp, string])[] = [
  [/_per_s(?:ec)?$/, 'per second'],
  [/_ns$/, 'ns'],
  [/_us$/, 'µs'],
  [/_ms$/, 'ms'],
  [/(?:_s|_secs|_seconds)$/, 's'],
  [/_bytes$/, 'bytes'],
  [/_kb$/, 'KiB'],
  [/_mb$/, 'MiB'],
  [/_pages$/, 'pages'],
  [/(?:_pct|percent|_percentage)$/, '%'],
  [/_mhz$/, 'MHz'],
  [/_hz$/, 'Hz'],
  [/_mbit$/, 'Mbit'],
];

/** The unit that a name ends with; nothing for counts and text. */
export function unitOf(name: string): string {
  const last = name.replace(/\[\]$/, '').split('.').at(-1) ?? '';
  return units.find(([pattern]) => pattern.test(last))?.[1] ?? '';
}
