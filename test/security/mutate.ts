/** What a name, a broken pipe or another version may put anywhere into an output. */
const pieces: readonly Buffer[] = [
  ...['\0', '\r\n', '\n', '\n\n', '\t', ' ', ':', ';', ',', '|', '"', "'", '\\', '\\u0000'],
  ...['{', '}', '[', ']', '(', ')', '{"a":', '[[[[', '\u001b[2J', '\u202e', '\ufeff', '\u{1f600}'],
  ...['-1', '-0', '1e400', '1e-400', 'NaN', 'Infinity', '0x', '0xffffffffffffffff', '1.5.2', '%'],
  ...['18446744073709551616', '9007199254740993', '9'.repeat(400), '-9223372036854775809'],
  ...['__proto__', 'constructor', 'toString', 'null', 'true', '<not counted>', '(deleted)'],
  '{"type": "map", "data": {"__proto__": {"x": 1}}}\n',
].map((text) => Buffer.from(text));

/** Bytes that are no UTF-8: lonely continuation, overlong slash, surrogate, beyond the last, torn. */
const invalid: readonly Buffer[] = ['80', 'c0af', 'eda080', 'f4908080', 'f09f98', 'ff', 'fe'].map(
  (hex) => Buffer.from(hex, 'hex'),
);

type Roll = () => number;
type Change = (input: Buffer, roll: Roll, other: Buffer) => Buffer;

/** Longer ones cost time and find nothing more. */
const largest_bytes = 256 * 1024;

const below = (roll: Roll, end: number): number => Math.floor(roll() * end);
const oneOf = <T>(roll: Roll, list: readonly T[]): T => {
  const chosen = list[below(roll, list.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
};

/** Puts something in place of so many bytes. */
const put = (input: Buffer, at: number, cut: number, piece: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, at), piece, input.subarray(at + cut)]);

const slice = (input: Buffer, roll: Roll, most: number): Buffer => {
  const at = below(roll, input.length);
  return input.subarray(at, at + 1 + below(roll, most));
};

const lineAt = (input: Buffer, at: number): Readonly<{ from: number; to: number }> => {
  const end = input.indexOf(10, at);
  return {
    from: input.lastIndexOf(10, Math.max(0, at - 1)) + 1,
    to: end < 0 ? input.length : end + 1,
  };
};

const changes: readonly Change[] = [
  function flipBits(input, roll) {
    const copy = Buffer.from(input);
    for (let left = 1 + below(roll, 8); left > 0; left--) {
      const at = below(roll, copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << below(roll, 8));
    }
    return copy;
  },
  (input, roll) => input.subarray(0, below(roll, input.length)),
  (input, roll) => input.subarray(below(roll, input.length)),
  (input, roll) => put(input, below(roll, input.length), 1 + below(roll, 200), Buffer.alloc(0)),
  (input, roll) => put(input, below(roll, input.length), 0, slice(input, roll, 2000)),
  (input, roll, other) => put(input, below(roll, input.length), 0, slice(other, roll, 2000)),
  (input, roll, other) =>
    Buffer.concat([
      input.subarray(0, below(roll, input.length)),
      other.subarray(below(roll, other.length)),
    ]),
  (input, roll) => put(input, below(roll, input.length), below(roll, 4), oneOf(roll, pieces)),
  (input, roll) => put(input, below(roll, input.length), below(roll, 2), oneOf(roll, invalid)),
  function replaceNumber(input, roll) {
    let from = below(roll, input.length);
    while (from < input.length && !isDigit(input[from])) from += 1;
    let to = from;
    while (isDigit(input[to])) to += 1;
    return put(input, from, to - from, oneOf(roll, pieces));
  },
  function repeatLine(input, roll) {
    const { from, to } = lineAt(input, below(roll, input.length));
    const times = oneOf(roll, [1, 2, 10, 100]);
    return put(input, to, 0, Buffer.concat(Array(times).fill(input.subarray(from, to))));
  },
  function swapLines(input, roll) {
    const { from, to } = lineAt(input, below(roll, input.length));
    const line = Buffer.from(input.subarray(from, to));
    const rest = put(input, from, to - from, Buffer.alloc(0));
    return put(rest, lineAt(rest, below(roll, rest.length)).from, 0, line);
  },
  (input, roll) =>
    put(
      input,
      below(roll, input.length),
      0,
      Buffer.alloc(oneOf(roll, [300, 5000, 70_000]), slice(input, roll, 12)),
    ),
  (input) => Buffer.from(input.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  (input, roll) => put(input, below(roll, input.length), 0, Buffer.alloc(1 + below(roll, 300))),
];

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 48 && byte <= 57;

/** One to five changes, as a tracer that breaks or whoever names a process might make them. */
export function mutate(input: Buffer, other: Buffer, roll: Roll): Buffer {
  let changed = input;
  for (let left = 1 + below(roll, 5); left > 0; left--) {
    if (changed.length === 0) changed = oneOf(roll, pieces);
    changed = oneOf(roll, changes)(changed, roll, other.length === 0 ? changed : other);
    changed = changed.subarray(0, largest_bytes);
  }
  return changed;
}
