import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';
import { isObject, type Json, type JsonObject } from './exact-json.ts';

export type FieldMeta = Readonly<{
  /** i64, u64, float, string or the name of a struct; `[x]` a list, `{k: x}` a dictionary of them. */
  type: string;
  desc: string | null;
}>;

export type StructMeta = Readonly<{
  desc: string | null;
  /** Whether it is the struct behind the target "top". More than one may say so. */
  top: boolean;
  fields: Readonly<Record<string, FieldMeta>>;
}>;

export type StatsMeta = Readonly<Record<string, StructMeta>>;

/**
 * The answer to `stats_meta`: structs by name. Units are not part of it; only a description may name
 * one. Hints for OpenMetrics (`user`) are left out. A struct that a field refers to may be missing.
 *
 *     {"Metrics":{"name":"Metrics","top":"true","fields":{"nr_running":{"datum":"u64","desc":"now"}}}}
 *
 * A field of an unknown shape becomes a warning. ParseError where it is no object of structs.
 */
export function parseStatsMeta(resp: Json): Parsed<StatsMeta> {
  if (!isObject(resp)) throw new ParseError('stats_meta is not an object');
  const warnings: ParseWarning[] = [];
  const structs: [string, StructMeta][] = [];
  for (const [name, struct] of Object.entries(resp)) {
    if (!isObject(struct) || !isObject(struct['fields'])) {
      warnings.push(warn(1, 'not a struct', name));
      continue;
    }
    structs.push([
      name,
      {
        desc: textOf(struct, 'desc'),
        top: struct['top'] !== undefined,
        fields: fieldsOf(name, struct['fields'], warnings),
      },
    ]);
  }
  return { data: Object.fromEntries(structs), warnings };
}

function fieldsOf(
  struct: string,
  fields: JsonObject,
  warnings: ParseWarning[],
): Readonly<Record<string, FieldMeta>> {
  const described: [string, FieldMeta][] = [];
  for (const [name, field] of Object.entries(fields)) {
    const type = isObject(field) ? shapeOf(field) : null;
    if (!isObject(field) || type === null) {
      warnings.push(warn(1, 'a field of unknown shape', `${struct}.${name}`));
    } else described.push([name, { type, desc: textOf(field, 'desc') }]);
  }
  return Object.fromEntries(described);
}

/** Exactly one of `datum`, `array` and `dict` stands in a field. */
function shapeOf({ datum, array, dict }: JsonObject): string | null {
  if (datum !== undefined) return kindOf(datum);
  if (array !== undefined) return wrap(kindOf(array), (kind) => `[${kind}]`);
  if (!isObject(dict)) return null;
  const key = kindOf(dict['key']);
  return wrap(kindOf(dict['datum']), (kind) => `{${key ?? 'string'}: ${kind}}`);
}

function kindOf(kind: Json | undefined): string | null {
  if (typeof kind === 'string') return kind;
  return isObject(kind) ? textOf(kind, 'struct') : null;
}

const wrap = (kind: string | null, around: (kind: string) => string): string | null =>
  kind === null ? null : around(kind);

function textOf(row: JsonObject, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' ? value : null;
}
