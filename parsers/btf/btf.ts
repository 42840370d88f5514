import { ParseError } from '../parsed.ts';

const magic = 0xeb9f;
const header_bytes = 24;
export const type_bytes = 12;
const kind_func = 12;

/**
 * Bytes after each 12-byte `struct btf_type`, by kind: `fixed`, and `each` times the vlen field.
 * (include/uapi/linux/btf.h; kinds 16 to 19 came with 5.13 to 6.0.)
 */
const kinds: Readonly<Record<number, Readonly<{ fixed: number; each: number }>>> = {
  1: { fixed: 4, each: 0 }, // INT
  2: { fixed: 0, each: 0 }, // PTR
  3: { fixed: 12, each: 0 }, // ARRAY
  4: { fixed: 0, each: 12 }, // STRUCT
  5: { fixed: 0, each: 12 }, // UNION
  6: { fixed: 0, each: 8 }, // ENUM
  7: { fixed: 0, each: 0 }, // FWD
  8: { fixed: 0, each: 0 }, // TYPEDEF
  9: { fixed: 0, each: 0 }, // VOLATILE
  10: { fixed: 0, each: 0 }, // CONST
  11: { fixed: 0, each: 0 }, // RESTRICT
  12: { fixed: 0, each: 0 }, // FUNC
  13: { fixed: 0, each: 8 }, // FUNC_PROTO
  14: { fixed: 4, each: 0 }, // VAR
  15: { fixed: 0, each: 12 }, // DATASEC
  16: { fixed: 0, each: 0 }, // FLOAT
  17: { fixed: 4, each: 0 }, // DECL_TAG
  18: { fixed: 0, each: 0 }, // TYPE_TAG
  19: { fixed: 0, each: 12 }, // ENUM64
};

export type Btf = Readonly<{
  types: Readonly<{ from: number; to: number }>;
  /** A 32-bit field in the byte order of the file. */
  field(offset: number): number;
  /** The NUL-terminated string at an offset into the strings. */
  string(offset: number): string;
}>;

/**
 * A BTF file such as `/sys/kernel/btf/vmlinux`: a header {magic 0xeb9f, hdr_len, offset and length
 * of the types and of the strings}, types of varying length, and strings. Its byte order is that of
 * the machine, told by the magic. Names are decoded as Latin-1: the kernel's are ASCII.
 */
export function openBtf(bytes: Uint8Array): Btf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < header_bytes) throw new ParseError('shorter than a BTF header');
  const little = view.getUint16(0, true) === magic;
  if (!little && view.getUint16(0, false) !== magic) throw new ParseError('not BTF: wrong magic');
  const field = (offset: number): number => view.getUint32(offset, little);
  const start = field(4);
  const types = { from: start + field(8), to: start + field(8) + field(12) };
  const strings = { from: start + field(16), to: start + field(16) + field(20) };
  if (types.to > bytes.length || strings.to > bytes.length) throw new ParseError('BTF is cut off');
  const text = new TextDecoder('latin1').decode(bytes.subarray(strings.from, strings.to));
  const string = (offset: number): string => text.slice(offset, text.indexOf('\0', offset));
  return { types, field, string };
}

/** Visits every type in the order of its id, from 1 on, with the offset where it begins. */
export function eachType({ types, field }: Btf, visit: (at: number, kind: number) => void): void {
  let at = types.from;
  while (at + type_bytes <= types.to) {
    const info = field(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const size = kinds[kind];
    if (!size) throw new ParseError(`unknown BTF kind ${kind} at byte ${at}`);
    visit(at, kind);
    at += type_bytes + size.fixed + size.each * (info & 0xffff);
  }
}

/**
 * Names of the functions in a BTF file, in its order (sorted by name since pahole 1.26).
 *
 * ParseError where it is not BTF, or holds a kind that is not known here: without its length the
 * types behind it cannot be found.
 */
export function parseBtfFunctions(bytes: Uint8Array): readonly string[] {
  const btf = openBtf(bytes);
  const names: string[] = [];
  eachType(btf, (at, kind) => {
    if (kind === kind_func) names.push(btf.string(btf.field(at)));
  });
  return names;
}

/**
 * Names of the parameters of those of the wanted functions that the file has, by function. Which
 * position an argument has differs between kernels; its name does not.
 */
export function parseBtfParameters(
  bytes: Uint8Array,
  wanted: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const btf = openBtf(bytes);
  const offsets: number[] = [0];
  const protoIds = new Map<string, number>();
  eachType(btf, (at, kind) => {
    offsets.push(at);
    if (kind !== kind_func) return;
    const name = btf.string(btf.field(at));
    if (wanted.includes(name)) protoIds.set(name, btf.field(at + 8));
  });
  const parameters = new Map<string, readonly string[]>();
  for (const [name, id] of protoIds) {
    const at = offsets[id];
    if (at === undefined) continue;
    const count = btf.field(at + 4) & 0xffff;
    const names = Array.from({ length: count }, (_, index) =>
      btf.string(btf.field(at + type_bytes + 8 * index)),
    );
    parameters.set(name, names);
  }
  return parameters;
}
