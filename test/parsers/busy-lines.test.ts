import fc from 'fast-check';
import { expect, test } from 'vitest';
import { busyLines, longest_line_bytes } from '../../parsers/stream/busy-lines.ts';
import { taskWords } from '../../parsers/stream/short-records.ts';
import { streamRecordJson } from '../../parsers/stream/stream-json.ts';

const oneOf = (...values: readonly number[]) => fc.constantFrom(...values);
const nanoseconds = fc.oneof(oneOf(0, 999, 1000, 1001), fc.nat(2 ** 31 - 1));
/** Names of any bytes, quotes, control characters and half characters among them. */
const word = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^0+(?=.)/, ''),
);

const task = fc.tuple(oneOf(0, 1, 314, 4_194_303), oneOf(0, 1, 314, 4_194_303), fc.nat(0xfffff));
const taskWord = ([pid, tgid, hash]: readonly [number, number, number]): string =>
  ((BigInt(pid) << 42n) | (BigInt(tgid) << 20n) | BigInt(hash)).toString(16);
const namePart = fc.oneof(word, fc.constant('0'));

const busy = fc
  .record({
    ts: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    kind: oneOf(1, 2, 3, 4, 5),
    cpu: fc.nat(0xffff),
    state: oneOf(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 0xfff),
    prios: fc.tuple(fc.nat(255), fc.nat(255)),
    tasks: fc.tuple(task, task),
    x: nanoseconds,
    y: nanoseconds,
    names: fc.tuple(namePart, namePart, namePart, namePart),
  })
  .map(({ ts, kind, cpu, state, prios: [first, second], tasks, x, y, names }) => {
    const meta = kind * 2 ** 44 + cpu * 2 ** 28 + state * 2 ** 16 + first * 256 + second;
    const [a, b] = [taskWord(tasks[0]), taskWord(tasks[1])];
    return {
      told: [`N\t${a}\t${names[0]}\t${names[1]}`, `N\t${b}\t${names[2]}\t${names[3]}`],
      record: ['s', ts, meta.toString(16), a, b, x, y].join('\t'),
    };
  });

/** Knows `aa` as rm, with pid and thread group 0. */
function tasksOf(...told: readonly string[]) {
  const tasks = taskWords();
  for (const line of ['N\taa\t6d72\t0', ...told]) tasks.learn(line);
  return tasks;
}

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

test('bytes of a short record become what the parser makes of it, whatever came before', () => {
  const tasks = taskWords();
  const lines = busyLines(tasks);
  fc.assert(
    fc.property(fc.nat(), busy, (seq, { told, record }) => {
      for (const line of told) tasks.learn(line);
      const line = streamRecordJson(seq, tasks.expand(record));
      // Twice: the second time its form is known.
      expect(written(lines, seq, record)).toBe(`${line}\n`);
      expect(written(lines, seq, record)).toBe(`${line}\n`);
    }),
    { numRuns: 2000 },
  );
});

test('the longest names of the worst bytes have room', () => {
  const worst = 'ffffffffffffffff';
  const tasks = tasksOf(`N\t1\t${worst}\t${worst}`, `N\t2\t${worst}\t${worst}`);
  const record = 's\t1\t100000000000\t1\t2\t1\t1';
  expect(written(busyLines(tasks), 1, record)).toBe(
    `${streamRecordJson(1, tasks.expand(record))}\n`,
  );
});

test('a name that is told later is in the lines from then on', () => {
  const tasks = tasksOf();
  const lines = busyLines(tasks);
  const record = 's\t1\t100000000000\taa\tbb\t1\t1';
  expect(written(lines, 1, record)).toBeNull();
  tasks.learn('N\tbb\t2274\t0');
  expect(written(lines, 1, record)).toContain('"next_comm":"t\\""');
});

test('a name that turns out to be one of two is in no line from then on', () => {
  const tasks = tasksOf();
  const lines = busyLines(tasks);
  const record = 's\t1\t100000000000\taa\taa\t1\t1';
  expect(written(lines, 1, record)).toContain('"next_comm":"rm"');
  tasks.learn('N\taa\t2274\t0');
  expect(written(lines, 1, record)).not.toContain('_comm');
});

test.each([
  ['torn', 's\t100\t100000000000\taa'],
  ['of another kind', 's\t1\t900000000000\taa\taa\t0\t0'],
  ['of another letter', 'w\t1\t100000000000\taa\taa\t0\t0'],
  ['of the long form', `e\t1\t${2 ** 44}\t1\t1\t1\t1\t0\t0\t0\t0\t0\t0`],
  ['with text where a task belongs', 's\t1\t100000000000\tx"y\taa\t0\t0'],
  ['with text where a number belongs', 's\t1\t100000000000\taa\taa\tg\t0'],
  ['of a task of which the name was not told', 's\t1\t100000000000\taa\tab\t0\t0'],
  ['with a field too many', 's\t1\t100000000000\taa\taa\t0\t0\t0'],
  ['of a number that a double does not hold', 's\t1\t100000000000\taa\taa\t9999999999999999\t0'],
  ['empty', ''],
])('a record that is %s is left to the parser', (_what, record) => {
  expect(written(busyLines(tasksOf()), 7, record)).toBeNull();
});

test('a record without its end is left until there is more', () => {
  const record = Buffer.from('s\t1\t100000000000\taa\taa\t0\t0');
  const out = Buffer.alloc(longest_line_bytes);
  for (let end = 0; end <= record.length; end += 1) {
    expect(busyLines(tasksOf()).write(record.subarray(0, end), 0, 1, out, 0)).toBe(-1);
  }
});

test('the time of a host that is up for a year is exact', () => {
  const record = 's\t31536000123456789\t100000000000\taa\taa\t0\t0';
  expect(written(busyLines(tasksOf()), 1, record)).toContain('"ts":31536000123456789,');
});
