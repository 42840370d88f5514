import { pairTable } from '../analysis/pair-table.ts';

/** Stacks of names, merged where they begin alike, with what they weigh. */
export type NameTree = Readonly<{
  name(text: string): number;
  /** Adds a weight to a stack of `depth` names, the outermost first. */
  add(names: Int32Array, depth: number, weight: number): void;
  /**
   * Gives lines of folded text, sorted by their names from the left, in pieces of some 64 KB. A piece
   * is good for the length of the call: the next one takes its place.
   */
  lines(emit: (piece: Uint8Array) => void): void;
}>;

const piece_bytes = 64 * 1024;
const semicolon = 59;

export function nameTree(): NameTree {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const nodes = pairTable();
  const root = nodes.of(-1, -1);
  /** NaN where no stack ends. */
  let weights = new Float64Array(1024).fill(Number.NaN);

  return {
    name(text) {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, names.length);
      return names.push(text) - 1;
    },
    add(stack, depth, weight) {
      let node = root;
      for (let at = 0; at < depth; at++) node = nodes.of(node, stack[at] ?? -1);
      if (node >= weights.length) weights = longer(weights, nodes.size());
      const before = weights[node] ?? Number.NaN;
      weights[node] = Number.isNaN(before) ? weight : before + weight;
    },
    lines: (emit) => emitLines(names, nodes.members(), weights, emit),
  };
}

type Members = Readonly<{ first: Int32Array; second: Int32Array }>;

function emitLines(
  names: readonly string[],
  { first: parents, second: nameOf }: Members,
  weights: Float64Array,
  emit: (piece: Uint8Array) => void,
): void {
  const encoder = new TextEncoder();
  const encoded = names.map((name) => encoder.encode(name));
  const next = nextNodes(parents, nameOf, ranks(names));
  const ends = new Int32Array(parents.length);
  let path = new Uint8Array(4096);
  let piece = new Uint8Array(piece_bytes * 2);
  let used = 0;

  function append(node: number): number {
    const parent = parents[node] ?? 0;
    const bytes = encoded[nameOf[node] ?? 0] ?? encoder.encode('');
    let at = ends[parent] ?? 0;
    const end = at + bytes.length + 1;
    if (end > path.length) path = longerBytes(path, end);
    if (parent > 0) path[at++] = semicolon;
    for (let index = 0; index < bytes.length; index++) path[at + index] = bytes[index] ?? 0;
    ends[node] = at + bytes.length;
    return at + bytes.length;
  }

  for (let node = next[0] ?? 0; node > 0; node = next[node] ?? 0) {
    const end = append(node);
    const weight = weights[node] ?? Number.NaN;
    if (Number.isNaN(weight)) continue;
    if (used + end + 64 > piece.length) {
      emit(piece.subarray(0, used));
      if (end + 64 > piece.length) piece = new Uint8Array((end + 64) * 2);
      used = 0;
    }
    piece.set(path.subarray(0, end), used);
    used = writeAscii(` ${weight}\n`, piece, used + end);
  }
  emit(piece.subarray(0, used));
}

function writeAscii(text: string, bytes: Uint8Array, from: number): number {
  for (let at = 0; at < text.length; at++) bytes[from + at] = text.charCodeAt(at);
  return from + text.length;
}

/** The place of each name in their order. */
function ranks(names: readonly string[]): Int32Array {
  const sorted = names.toSorted();
  const places = new Map(sorted.map((name, place) => [name, place]));
  return Int32Array.from(names, (name) => places.get(name) ?? 0);
}

/** The node that follows each when a tree is walked from its root, children in the order of names. */
function nextNodes(parents: Int32Array, nameOf: Int32Array, rank: Int32Array): Int32Array {
  const size = parents.length;
  const child = new Int32Array(size);
  const next = new Int32Array(size);
  for (const node of byRank(nameOf, rank)) {
    const parent = parents[node] ?? 0;
    next[node] = child[parent] ?? 0;
    child[parent] = node;
  }
  // Parents have smaller numbers: what follows the last child is what follows its parent.
  for (let node = 1; node < size; node++) next[node] ||= next[parents[node] ?? 0] ?? 0;
  for (let node = 0; node < size; node++) next[node] = child[node] || (next[node] ?? 0);
  return next;
}

/** All nodes but the root, those with the last names first. */
function byRank(nameOf: Int32Array, rank: Int32Array): Int32Array {
  const starts = new Int32Array(rank.length + 1);
  for (let node = 1; node < nameOf.length; node++) {
    const place = rank[nameOf[node] ?? 0] ?? 0;
    starts[place] = (starts[place] ?? 0) + 1;
  }
  for (let place = rank.length - 1, sum = 0; place >= 0; place--) {
    const count = starts[place] ?? 0;
    starts[place] = sum;
    sum += count;
  }
  const sorted = new Int32Array(nameOf.length - 1);
  for (let node = 1; node < nameOf.length; node++) {
    const place = rank[nameOf[node] ?? 0] ?? 0;
    const at = starts[place] ?? 0;
    sorted[at] = node;
    starts[place] = at + 1;
  }
  return sorted;
}

function longer(from: Float64Array<ArrayBuffer>, size: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(size * 2).fill(Number.NaN);
  to.set(from);
  return to;
}

function longerBytes(from: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(size * 2);
  to.set(from);
  return to;
}
