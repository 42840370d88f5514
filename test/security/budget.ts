/** `npm run test:security` sets it: the whole number of tries. `npm test` makes a small part of them. */
const isFull = process.env['TRACEWRIGHT_SECURITY'] === 'full';

export const tries = (full: number, few: number): number => (isFull ? full : few);

/** Figures of the whole run, for SECURITY.md; `npm test` shows none. */
export function figure(text: string): void {
  if (isFull) console.log(`figure: ${text}`);
}

/** Pseudo-random numbers from 0 to 1 that are the same in each run (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
