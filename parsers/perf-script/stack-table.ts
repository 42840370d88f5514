/** Stacks met lately, by their frames. */
export type StackTable = Readonly<{
  /** The number of a stack of `depth` frames, asked of `name` where it was not met lately. */
  number(frames: Int32Array, depth: number, name: StackNamer): number;
}>;

export type StackNamer = (frames: Int32Array, depth: number) => number;

const first_stacks = 4096;
const first_frames = 65_536;
const growth = 8;

/**
 * Room for a number of stacks, a power of two, and for their frames. It grows up to that; full, all
 * are forgotten.
 */
export function stackTable(max_stacks: number, max_frames: number): StackTable {
  let most_stacks = Math.min(max_stacks, first_stacks);
  let most_frames = Math.min(max_frames, first_frames);
  let pool = new Int32Array(most_frames);
  /** Offset, depth, hash and number of each stack. */
  let facts = new Int32Array(most_stacks * 4);
  let slots = new Int32Array(most_stacks * 2);
  let mask = slots.length - 1;
  let count = 0;
  let used = 0;

  function isStack(at: number, frames: Int32Array, depth: number): boolean {
    const offset = facts[at] ?? 0;
    for (let index = 0; index < depth; index++) {
      if (pool[offset + index] !== frames[index]) return false;
    }
    return true;
  }

  function forget(): void {
    count = 0;
    used = 0;
    if (most_stacks === max_stacks && most_frames === max_frames) {
      slots.fill(0);
      return;
    }
    most_stacks = Math.min(max_stacks, most_stacks * growth);
    most_frames = Math.min(max_frames, most_frames * growth);
    pool = new Int32Array(most_frames);
    facts = new Int32Array(most_stacks * 4);
    slots = new Int32Array(most_stacks * 2);
    mask = slots.length - 1;
  }

  function keep(frames: Int32Array, depth: number, hash: number, number: number): void {
    if (count === most_stacks || used + depth > most_frames) forget();
    if (depth > most_frames) return;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    pool.set(frames.subarray(0, depth), used);
    facts.set([used, depth, hash, number], count * 4);
    used += depth;
    slots[slot] = ++count;
  }

  return {
    number(frames, depth, name) {
      const hash = hashOf(frames, depth);
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const at = ((slots[slot] ?? 0) - 1) * 4;
        if (at < 0) break;
        const alike = facts[at + 2] === hash && facts[at + 1] === depth;
        if (alike && isStack(at, frames, depth)) return facts[at + 3] ?? 0;
      }
      const number = name(frames, depth);
      keep(frames, depth, hash, number);
      return number;
    },
  };
}

function hashOf(frames: Int32Array, depth: number): number {
  let hash = depth;
  for (let index = 0; index < depth; index++) {
    hash = Math.imul(hash ^ (frames[index] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
