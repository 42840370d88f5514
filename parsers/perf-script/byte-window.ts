/**
 * Bytes of which `from` up to `end` are not read yet. Behind `end` there is room for `slack` more:
 * words of four bytes are read up to the last byte. A newline stands at `end`, or just before it.
 */
export type ByteWindow = { bytes: Uint8Array; view: DataView; from: number; end: number };

export const slack = 16;
const newline = 10;

/** A window that holds at most `capacity` bytes. */
export function byteWindow(capacity: number): ByteWindow {
  const bytes = new Uint8Array(capacity + slack);
  bytes[0] = newline;
  return { bytes, view: new DataView(bytes.buffer), from: 0, end: 0 };
}

/** Adds what has room of `chunk` from `at` up to `to`; how far. What was read makes room. */
export function fill(window: ByteWindow, chunk: Uint8Array, at: number, to: number): number {
  const { bytes, from, end } = window;
  if (from > 0) bytes.copyWithin(0, from, end);
  const kept = end - from;
  const taken = Math.min(to - at, bytes.length - slack - kept);
  bytes.set(chunk.subarray(at, at + taken), kept);
  window.from = 0;
  window.end = kept + taken;
  bytes[window.end] = newline;
  return at + taken;
}

/** Not zero where one of the four bytes from `at` on is a newline. */
export function newlineIn(view: DataView, at: number): number {
  const word = view.getInt32(at, true) ^ 0x0a0a0a0a;
  // Has a bit in the lowest byte that is zero; bits above that one may be wrong.
  return (word - 0x01010101) & ~word & 0x80808080;
}

/** Where the line that `at` is in ends: the place of its newline. */
export function endOfLine(view: DataView, at: number): number {
  let place = at;
  for (;;) {
    const zeros = newlineIn(view, place);
    if (zeros !== 0) return place + ((31 - Math.clz32(zeros & -zeros)) >>> 3);
    place += 4;
  }
}
