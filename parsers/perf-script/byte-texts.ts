import type { ByteWindow } from './byte-window.ts';

/**
 * Distinct pieces of bytes under dense numbers, each with a mark and a value of whoever keeps it.
 * Two pieces with the same bytes and different marks are different.
 */
export type ByteTexts = Readonly<{
  /** The number of the piece from `from` up to `to`, or -1. */
  find(window: ByteWindow, from: number, to: number, mark: number): number;
  /** Keeps a piece that was not found; its number, or -1 where there is no more room. */
  keep(window: ByteWindow, from: number, to: number, kept: Kept): number;
  /** Forgets all, and has more room from then on, up to the limit. */
  clear(): void;
  /**
   * For readers that compare on their own: four numbers for each piece, which are its offset in
   * `pool`, its length, its value and its note. Others after `clear`.
   */
  facts: Int32Array;
  pool: DataView;
}>;

/** The note is not looked at here. */
export type Kept = Readonly<{ mark: number; value: number; note: number }>;

const slack = 8;
const first_texts = 4096;
const first_bytes = 512 * 1024;
const growth = 8;

/**
 * Room for a number of pieces, a power of two, and for their bytes. Most texts need little of it, and
 * what is set to zero for nothing holds up a server.
 */
export function byteTexts(max_texts: number, max_bytes: number): ByteTexts {
  let texts = Math.min(max_texts, first_texts);
  let pool_bytes = Math.min(max_bytes, first_bytes);
  let bytes = new Uint8Array(pool_bytes + slack);
  let pool = new DataView(bytes.buffer);
  let facts = new Int32Array(texts * 4);
  let marks = new Int32Array(texts);
  /** Number plus one by hash; 0 is free. */
  let slots = new Int32Array(texts * 2);
  let mask = slots.length - 1;
  let count = 0;
  let used = 0;

  function isText(text: number, view: DataView, from: number, length: number): boolean {
    const offset = facts[text * 4] ?? 0;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      if (view.getInt32(from + at, true) !== pool.getInt32(offset + at, true)) return false;
    }
    for (; at < length; at++) {
      if (view.getUint8(from + at) !== pool.getUint8(offset + at)) return false;
    }
    return true;
  }

  return {
    find(window, from, to, mark) {
      const { view } = window;
      const length = to - from;
      let at = hash(view, from, to, mark) & mask;
      for (;;) {
        const text = (slots[at] ?? 0) - 1;
        if (text < 0) return -1;
        const alike = facts[text * 4 + 1] === length && marks[text] === mark;
        if (alike && isText(text, view, from, length)) return text;
        at = (at + 1) & mask;
      }
    },
    keep(window, from, to, { mark, value, note }) {
      const length = to - from;
      if (count === texts || used + length > pool_bytes) return -1;
      let at = hash(window.view, from, to, mark) & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      bytes.set(window.bytes.subarray(from, to), used);
      facts.set([used, length, value, note], count * 4);
      marks[count] = mark;
      used += length;
      slots[at] = count + 1;
      return count++;
    },
    clear() {
      count = 0;
      used = 0;
      if (texts === max_texts && pool_bytes === max_bytes) {
        slots.fill(0);
        return;
      }
      texts = Math.min(max_texts, texts * growth);
      pool_bytes = Math.min(max_bytes, pool_bytes * growth);
      bytes = new Uint8Array(pool_bytes + slack);
      pool = new DataView(bytes.buffer);
      facts = new Int32Array(texts * 4);
      marks = new Int32Array(texts);
      slots = new Int32Array(texts * 2);
      mask = slots.length - 1;
    },
    get facts() {
      return facts;
    },
    get pool() {
      return pool;
    },
  };
}

function hash(view: DataView, from: number, to: number, mark: number): number {
  let mixed = mark ^ (to - from);
  let at = from;
  for (; at + 4 <= to; at += 4) {
    mixed = Math.imul(mixed ^ view.getInt32(at, true), 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  for (; at < to; at++) mixed = Math.imul(mixed ^ view.getUint8(at), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
