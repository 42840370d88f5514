import { PbfReader } from 'pbf';

/** A message as field numbers and what stands in them: a number, or the bytes of what is inside. */
type Fields = readonly (readonly [number, number | Uint8Array])[];

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new PbfReader(bytes);
  const fields: [number, number | Uint8Array][] = [];
  for (let tag = reader.nextField(); tag !== 0; tag = reader.nextField()) {
    const isBytes = reader.type === 2;
    if (reader.type === 1) fields.push([tag, reader.readDouble()]);
    else fields.push([tag, isBytes ? reader.readBytes().slice() : reader.readVarint(true)]);
  }
  return fields;
}

/** All that stands at a path of field numbers. */
export function at(bytes: Uint8Array, ...path: readonly number[]): (number | Uint8Array)[] {
  const [first, ...rest] = path;
  const found = fieldsOf(bytes).flatMap(([field, value]) => (field === first ? [value] : []));
  if (rest.length === 0) return found;
  return found.flatMap((value) => (typeof value === 'number' ? [] : at(value, ...rest)));
}

export const texts = (bytes: Uint8Array, ...path: readonly number[]): string[] =>
  at(bytes, ...path).map((value) => new TextDecoder().decode(Object(value)));

/** Varints behind each other, of all fields at the path. */
export function packed(bytes: Uint8Array, ...path: readonly number[]): number[] {
  return at(bytes, ...path).flatMap((value) => {
    if (typeof value === 'number') return [];
    const reader = new PbfReader(value);
    const all: number[] = [];
    while (reader.pos < value.length) all.push(reader.readVarint(true));
    return all;
  });
}
