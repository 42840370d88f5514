/**
 * Pairs of small whole numbers, each under one dense number in the order in which they were met: an
 * open hash table over flat arrays, without an object for each entry.
 */
export type PairTable = Readonly<{
  /** The number of the pair (a, b), a new one where it was not met before. */
  of(a: number, b: number): number;
  size(): number;
  /** The members of one pair. */
  first(number: number): number;
  second(number: number): number;
  /** First and second member by number. Copies. */
  members(): Readonly<{ first: Int32Array; second: Int32Array }>;
}>;

const first_capacity = 1024;

export function pairTable(): PairTable {
  let first = new Int32Array(first_capacity);
  let second = new Int32Array(first_capacity);
  /** Number of the pair plus one by hash; 0 is free. Twice as long as the arrays. */
  let slots = new Int32Array(first_capacity * 2);
  let mask = slots.length - 1;
  let size = 0;

  function freeSlot(a: number, b: number): number {
    let at = hash(a, b) & mask;
    while (slots[at] !== 0) at = (at + 1) & mask;
    return at;
  }

  function grow(): void {
    first = doubled(first);
    second = doubled(second);
    slots = new Int32Array(first.length * 2);
    mask = slots.length - 1;
    for (let number = 0; number < size; number++) {
      slots[freeSlot(first[number] ?? 0, second[number] ?? 0)] = number + 1;
    }
  }

  return {
    of(a, b) {
      let at = hash(a, b) & mask;
      for (;;) {
        const number = (slots[at] ?? 0) - 1;
        if (number < 0) break;
        if (first[number] === a && second[number] === b) return number;
        at = (at + 1) & mask;
      }
      if (size === first.length) {
        grow();
        at = freeSlot(a, b);
      }
      first[size] = a;
      second[size] = b;
      size++;
      slots[at] = size;
      return size - 1;
    },
    size: () => size,
    first: (number) => first[number] ?? -1,
    second: (number) => second[number] ?? -1,
    members: () => ({ first: first.slice(0, size), second: second.slice(0, size) }),
  };
}

function hash(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function doubled(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(from.length * 2);
  longer.set(from);
  return longer;
}
