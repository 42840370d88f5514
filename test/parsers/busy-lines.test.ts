import fc from 'fast-check';
import { expect, test } from 'vitest';
import { busyLines, longest_line_bytes } from '../../parsers/stream/busy-lines.ts';
import { streamRecordJson } from '../../parsers/stream/stream-json.ts';

const oneOf = (...values: readonly number[]) => fc.constantFrom(...values);
const nanoseconds = fc.oneof(oneOf(0, 999, 1000, 1001), fc.nat(2 ** 31 - 1));
/** Names of any bytes, quotes, control characters and half characters among them. */
const word = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^0+(?=.)/, ''),
);

const busy = fc
  .record({
    ts: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    kind: oneOf(1, 2, 3, 4, 5),
    cpu: fc.nat(0xffff),
    state: oneOf(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 0xfff),
    prios: fc.tuple(fc.nat(255), fc.nat(255)),
    tasks: fc.array(oneOf(0, 1, 314, 4_194_304), { minLength: 4, maxLength: 4 }),
    x: nanoseconds,
    y: nanoseconds,
    names: fc.array(fc.oneof(word, fc.constant('0')), { minLength: 4, maxLength: 4 }),
  })
  .map(({ ts, kind, cpu, state, prios: [a, b], tasks, x, y, names }) => {
    const meta = kind * 2 ** 44 + cpu * 2 ** 28 + state * 2 ** 16 + a * 256 + b;
    return ['e', ts, meta, ...tasks, x, y, ...names].join('\t');
  });

/** What stands in a JSON string for the record; null where it is not written byte by byte. */
function written(lines: ReturnType<typeof busyLines>, seq: number, record: string) {
  const bytes = Buffer.from(`${record}\n`);
  const out = Buffer.alloc(longest_line_bytes);
  const next = lines.write(bytes, 0, seq, out, 0);
  if (next < 0) return null;
  expect(next).toBe(bytes.length);
  const text: string = JSON.parse(`"${out.toString('utf8', 0, lines.end())}"`);
  expect(Buffer.byteLength(text)).toBe(lines.end() - lines.escapes());
  return text;
}

test('bytes of a busy record become what the parser makes of it, whatever came before', () => {
  const lines = busyLines();
  fc.assert(
    fc.property(fc.nat(), busy, (seq, record) => {
      // Twice: the second time its form is known.
      expect(written(lines, seq, record)).toBe(`${streamRecordJson(seq, record)}\n`);
      expect(written(lines, seq, record)).toBe(`${streamRecordJson(seq, record)}\n`);
    }),
    { numRuns: 2000 },
  );
});

test('the longest names of the worst bytes have room', () => {
  const worst = 'ffffffffffffffff';
  const record = ['e', 1, 2 ** 44, 1, 1, 2, 2, 1, 1, worst, worst, worst, worst].join('\t');
  expect(written(busyLines(), 1, record)).toBe(`${streamRecordJson(1, record)}\n`);
});

test.each([
  ['torn', 'e\t100\t17592186044416\t1\t1'],
  ['of another kind', `e\t1\t${9 * 2 ** 44}\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0`],
  ['of another letter', `w\t1\t${2 ** 44}\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0`],
  ['with text where a number belongs', 'e\t1\t17592186044416\t1\t1\tx"y\t1\t0\t0\t0\t0\t0\t0'],
  ['with text where a name belongs', 'e\t1\t17592186044416\t1\t1\t1\t1\t0\t0\tg\t0\t0\t0'],
  ['with a field too many', 'e\t1\t17592186044416\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0\t0'],
  [
    'of a number that a double does not hold',
    `e\t1\t${2 ** 44}\t1\t1\t1\t1\t9999999999999999\t0\t0\t0\t0\t0`,
  ],
  ['empty', ''],
])('a record that is %s is left to the parser', (_what, record) => {
  expect(written(busyLines(), 7, record)).toBeNull();
});

test('a record without its end is left until there is more', () => {
  const record = Buffer.from('e\t1\t17592186044416\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0');
  const out = Buffer.alloc(longest_line_bytes);
  for (let end = 0; end <= record.length; end += 1) {
    expect(busyLines().write(record.subarray(0, end), 0, 1, out, 0)).toBe(-1);
  }
});

test('the time of a host that is up for a year is exact', () => {
  const record = 'e\t31536000123456789\t17592186044416\t1\t1\t2\t2\t0\t0\t6d72\t0\t6d72\t0';
  expect(written(busyLines(), 1, record)).toContain('"ts":31536000123456789,');
});
