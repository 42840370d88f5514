import { ParseError } from './parsed.ts';

/** An unsigned 64-bit counter: a number where a double holds it exactly, else its decimal digits. */
export type U64 = number | string;

// Strings are matched first, so that digits inside one are never touched.
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON whose integers beyond 2^53 arrive as strings instead of losing their last digits. */
export function parseBigJson(text: string): unknown {
  const exact = text.replace(stringOrNumber, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
  try {
    return JSON.parse(exact);
  } catch {
    // biome-ignore lint/style/useErrorCause: the cause quotes the input, which may be anybody's text
    throw new ParseError('not JSON');
  }
}

/** Growth of a counter, or null where it was reset or does not fit a number. */
export function u64Growth(before: U64, after: U64): number | null {
  const difference = Number(BigInt(after) - BigInt(before));
  return difference >= 0 && Number.isSafeInteger(difference) ? difference : null;
}
