import { expect, test } from 'vitest';
import { streamRecordJson } from '../../parsers/stream/stream-json.ts';

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

test.each([
  ['torn', 'e\t100\t17592186044416\t1\t1'],
  ['of another kind', `e\t1\t${9 * 2 ** 44}\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0`],
  ['with text where a number belongs', 'e\t1\t17592186044416\t1\t1\tx"y\t1\t0\t0\t0\t0\t0\t0'],
  ['empty', ''],
])('a record that is %s has no line', (_what, record) => {
  expect(streamRecordJson(7, record)).toBeNull();
});

test('an event of a host that is up for a year is told, to a few nanoseconds', () => {
  const ts = 31_536_000_123_456_789n;
  const soft = `i\t${ts}\t0\t1\t1\t1\t${ts - 5000n}\t6d72\t0`;
  const event = JSON.parse(streamRecordJson(1, soft) ?? '{}');
  expect(Math.abs(Number(ts - BigInt(event.ts)))).toBeLessThan(8);
  expect(event.duration_ns).toBeCloseTo(5000, -1);
});
