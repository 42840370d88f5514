import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStreamRecord } from '../../parsers/stream/stream.ts';
import { numbered, streamRecordJson } from '../../parsers/stream/stream-json.ts';

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
    kind: oneOf(0, 1, 2, 3, 4, 5, 6),
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

function slowly(seq: number, record: string): string | null {
  const event = parseStreamRecord(record);
  return event === null ? null : JSON.stringify(numbered(seq, event));
}

test('a line of JSON is the event of the record, without what is not known', () => {
  fc.assert(
    fc.property(fc.nat(), busy, (seq, record) => {
      expect(streamRecordJson(seq, record)).toBe(slowly(seq, record));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['torn', 'e\t100\t17592186044416\t1\t1'],
  ['of another kind', `e\t1\t${9 * 2 ** 44}\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0`],
  ['with text where a number belongs', 'e\t1\t17592186044416\t1\t1\tx"y\t1\t0\t0\t0\t0\t0\t0'],
  [
    'of more than a double holds',
    'e\t9999999999999999999\t17592186044416\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0',
  ],
  ['empty', ''],
])('a record that is %s is what the parser makes of it', (_what, record) => {
  expect(streamRecordJson(7, record)).toBe(slowly(7, record));
});

test('rare records come out as well', () => {
  const line = streamRecordJson(3, 'q\t1000\t1\t7\t7\t120\t1\t6d72\t0');
  expect(JSON.parse(line ?? '')).toEqual({
    seq: 3,
    type: 'exit',
    ts: 1000,
    cpu: 1,
    pid: 7,
    tgid: 7,
    prio: 120,
    comm: 'rm',
    exit_code: 0,
  });
});

test('an event of a host that is up for a year is told, to a few nanoseconds', () => {
  const ts = 31_536_000_123_456_789n;
  const record = `e\t${ts}\t17592186044416\t1\t1\t2\t2\t0\t0\t6d72\t0\t6d72\t0`;
  const line = streamRecordJson(1, record);
  expect(line).toBe(slowly(1, record));
  expect(Math.abs(Number(ts - BigInt(JSON.parse(line ?? '{}').ts)))).toBeLessThan(8);
  const soft = `i\t${ts}\t0\t1\t1\t1\t${ts - 5000n}\t6d72\t0`;
  expect(JSON.parse(streamRecordJson(1, soft) ?? '{}').duration_ns).toBeCloseTo(5000, -1);
});
