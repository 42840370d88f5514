import { surface } from '../../src/surface.ts';
import type { Seen } from './resources.ts';

/** What stands in every answer and is described once. */
const common: ReadonlySet<string> = new Set([
  'summary',
  'source',
  'window_ms',
  'unavailable',
  'warnings',
  'truncated',
  'total',
  'next',
  'links',
  'lost_events',
  'timestamp',
  'host',
]);

/** Those that can be read without knowing more than their name. */
export const resourceUris = (): string[] =>
  surface.resources.map(({ uri }) => uri).filter((uri) => !uri.includes('{'));

/** What was seen before together with one more answer. */
export function mergeFields(
  seen: Seen,
  uri: string,
  answer: Readonly<Record<string, unknown>>,
): Seen {
  const before = seen[uri];
  const fields: Record<string, string> = { ...before?.fields };
  for (const [name, value] of Object.entries(answer)) {
    if (!common.has(name)) addField(fields, name, value);
  }
  const source = typeof answer['source'] === 'string' ? answer['source'] : (before?.source ?? null);
  return { ...seen, [uri]: { source, fields } };
}

/** Names of the fields of an answer, as the table of the resource has them. */
export function fieldNames(answer: Readonly<Record<string, unknown>>): string[] {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (!common.has(name)) addField(fields, name, value);
  }
  return Object.keys(fields);
}

function addField(fields: Record<string, string>, name: string, value: unknown): void {
  if (Array.isArray(value)) {
    const inner = value.filter((each) => each !== null);
    const types = inner.map((each) => (isObject(each) ? 'object' : typeof each));
    const [kind] = types;
    add(fields, `${name}[]`, kind === undefined ? 'list' : `list of ${kind}`);
    for (const each of inner) {
      if (isObject(each)) addInner(fields, `${name}[]`, each);
    }
    return;
  }
  if (isObject(value)) {
    add(fields, name, 'object');
    addInner(fields, name, value);
    return;
  }
  add(fields, name, value === null ? 'null' : typeof value);
}

/** Keys that are data, such as numbers of CPUs and names of interfaces, are one field. */
function addInner(fields: Record<string, string>, name: string, value: object): void {
  for (const [key, each] of Object.entries(value)) {
    addField(fields, `${name}.${/^[a-z][a-z0-9_]*$/i.test(key) ? key : '*'}`, each);
  }
}

function add(fields: Record<string, string>, name: string, type: string): void {
  const list = `${name}[]`;
  if (type === 'null' && fields[list] !== undefined) {
    add(fields, list, type);
    return;
  }
  const plain = name.replace(/\[\]$/, '');
  const before = [fields[name], plain === name ? undefined : fields[plain]].flatMap(
    (each) => each?.split(' or ') ?? [],
  );
  if (plain !== name) delete fields[plain];
  const types = new Set([...before, type]);
  const isNullable = types.delete('null');
  if (types.size > 1) types.delete('list');
  fields[name] = [...types, ...(isNullable ? ['null'] : [])].join(' or ');
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
