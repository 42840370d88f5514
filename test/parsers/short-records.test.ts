import { describe, expect, test } from 'vitest';
import { taskIds, taskWords } from '../../parsers/stream/short-records.ts';
import { parseStreamRecord } from '../../parsers/stream/stream.ts';

const word = (pid: number, tgid: number, hash: number): string =>
  ((BigInt(pid) << 42n) | (BigInt(tgid) << 20n) | BigInt(hash)).toString(16);

describe('taskWords', () => {
  test('makes the long form of a short record', () => {
    const tasks = taskWords();
    const [a, b] = [word(314, 314, 0x24d51), word(2718, 2700, 7)];
    expect(tasks.learn(`N\t${a}\t6d72\t0`)).toBe(true);
    expect(tasks.learn(`N\t${b}\t68736162\t0`)).toBe(true);
    const long = `e\t5\t${2 ** 44 + 0x17878}\t314\t314\t2718\t2700\t26882\t4711\t6d72\t0\t68736162\t0`;
    expect(tasks.expand(`s\t5\t100000017878\t${a}\t${b}\t26882\t4711`)).toBe(long);
  });

  test('passes on what stands behind, and leaves other records as they are', () => {
    const tasks = taskWords();
    expect(tasks.expand('s\t5\t100000000000\t0\t0\t1\t2\tff\t3')).toMatch(
      /^e\t5\t17592186044416\t0\t0\t0\t0\t1\t2\t0\t0\t0\t0\tff\t3$/,
    );
    for (const record of ['s\t5\t1', 'q\t1000\t1\t7\t7\t120\t1\t6d72\t0', '']) {
      expect(tasks.expand(record)).toBe(record);
    }
  });

  test('says nothing of a name that was not told, or told in two ways', () => {
    const tasks = taskWords();
    const record = `s\t5\t100000000000\t${word(1, 1, 5)}\t${word(2, 2, 5)}\t1\t2`;
    const names = () => {
      const event = parseStreamRecord(tasks.expand(record));
      return [event?.['prev_comm'], event?.['next_comm']];
    };
    expect(names()).toEqual([null, null]);
    tasks.learn(`N\t${word(1, 1, 5)}\t6d72\t0`);
    expect(names()).toEqual(['rm', null]);
    tasks.learn(`N\t${word(1, 1, 5)}\t2274\t0`);
    expect(names()).toEqual([null, null]);
  });

  test('takes nothing but words and names', () => {
    const tasks = taskWords();
    for (const line of ['N\t1\t6d72', 'N\tx\t6d72\t0', '@seen: 3', 'N', '', 'N\t1\t6d72\t0\t0']) {
      expect(tasks.learn(line)).toBe(false);
    }
  });

  test('holds a bounded number of words, and of them the youngest', () => {
    const tasks = taskWords();
    for (let at = 0; at < 70_000; at += 1) {
      tasks.learn(`N\t${at.toString(16)}\t6d72\t0`);
      if (at % 1000 === 0) tasks.learn('N\t0\t6d72\t0');
    }
    expect(tasks.nameOf('1')).toBeNull();
    expect(tasks.nameOf('0')).toBe('6d72\t0');
    expect(tasks.nameOf((69_999).toString(16))).toBe('6d72\t0');
  });
});

test.each([
  [0, 0],
  [1, 1],
  [4_194_303, 4_194_303],
  [4_194_303, 0],
])('a word names thread %i of group %i', (pid, tgid) => {
  expect(taskIds(word(pid, tgid, 0xfffff))).toEqual([pid, tgid]);
});
