import { type Btf, eachType, openBtf, type_bytes } from './btf.ts';

const kind_struct = 4;
const kind_union = 5;
const member_bytes = 12;
/** Anonymous structs lie a few deep. */
const deepest = 8;

/**
 * Where the members of structs lie that are asked for, in bytes, by struct and member; what the
 * kernel has not is left out. Members of an anonymous struct or union count as those of the one
 * around it, as in C. Struct `{name, info, size}` is followed by its members `{name, type, offset}`;
 * the offset is in bits, of which the low 24 are it where the struct has bit fields (kind_flag).
 */
export function parseBtfMembers(
  bytes: Uint8Array,
  wanted: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const btf = openBtf(bytes);
  const places: number[] = [0];
  const structs = new Map<string, number>();
  eachType(btf, (at, kind) => {
    places.push(at);
    if (kind !== kind_struct) return;
    const called = btf.string(btf.field(at));
    if (Object.hasOwn(wanted, called)) structs.set(called, at);
  });
  const offsets = new Map<string, ReadonlyMap<string, number>>();
  for (const [called, at] of structs) {
    const all = membersOf(btf, places, at, 0);
    offsets.set(called, new Map(all.filter(([name]) => wanted[called]?.includes(name))));
  }
  return offsets;
}

type Member = readonly [name: string, offset_bytes: number];

function membersOf(btf: Btf, places: readonly number[], at: number, depth: number): Member[] {
  const info = btf.field(at + 4);
  const hasBitFields = info >>> 31 === 1;
  return Array.from({ length: info & 0xffff }, (_, index) => {
    const member = at + type_bytes + member_bytes * index;
    const told = btf.field(member + 8);
    const bits = hasBitFields ? told & 0xffffff : told;
    const name = btf.string(btf.field(member));
    if (name !== '') return [[name, bits >> 3]] satisfies Member[];
    const inner = places[btf.field(member + 4)];
    if (inner === undefined || depth >= deepest || !holdsMembers(btf, inner)) return [];
    return membersOf(btf, places, inner, depth + 1).map(
      ([each, offset]): Member => [each, offset + (bits >> 3)],
    );
  }).flat();
}

function holdsMembers(btf: Btf, at: number): boolean {
  const kind = (btf.field(at + 4) >>> 24) & 0x1f;
  return kind === kind_struct || kind === kind_union;
}

const kind_typedef = 8;
const tracepoint_prefix = 'btf_trace_';

/** Names of the tracepoints that the kernel describes: for each it has a type `btf_trace_<name>`. */
export function parseBtfTracepoints(bytes: Uint8Array): ReadonlySet<string> {
  const btf = openBtf(bytes);
  const names = new Set<string>();
  eachType(btf, (at, kind) => {
    if (kind !== kind_typedef) return;
    const called = btf.string(btf.field(at));
    if (called.startsWith(tracepoint_prefix)) names.add(called.slice(tracepoint_prefix.length));
  });
  return names;
}
