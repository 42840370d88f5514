import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchSpace } from '../../src/exec/scratch.ts';

// A temporary directory of our own: the sweep must not meet the servers that run on this machine.
const outside = mkdtempSync(join(tmpdir(), 'scratch-test-'));
const before = process.env['TMPDIR'];
beforeAll(() => {
  process.env['TMPDIR'] = outside;
});
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(outside, { recursive: true, force: true });
});

describe('the scratch directory', () => {
  test('is made on first use and only we can enter it', () => {
    const scratch = scratchSpace();
    expect(readdirSync(outside)).toEqual([]);
    const directory = dirname(scratch.path('a.data'));
    expect(dirname(directory)).toBe(outside);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test('takes plain names only', () => {
    const scratch = scratchSpace();
    for (const name of ['../x', 'a/b', '.hidden', '', 'a b', 'a\0', '-'.repeat(65)]) {
      expect(() => scratch.path(name)).toThrow('bad name');
    }
  });

  test('gives a file from an offset on, and nothing where there is nothing', async () => {
    const scratch = scratchSpace();
    expect(await scratch.readFrom('a', 0, 10)).toHaveLength(0);
    writeFileSync(scratch.path('a'), 'abcdef');
    expect(Buffer.from(await scratch.readFrom('a', 2, 3)).toString()).toBe('cde');
    expect(Buffer.from(await scratch.readFrom('a', 4, 100)).toString()).toBe('ef');
    expect(await scratch.readFrom('a', 6, 10)).toHaveLength(0);
    scratch.remove('a');
    scratch.remove('a');
    expect(existsSync(scratch.path('a'))).toBe(false);
  });

  test('sweeps what killed servers of this user left, and nothing else', () => {
    const uid = process.getuid?.() ?? 0;
    // Pids end at 2^22 on Linux: nobody has this one.
    const dead = join(outside, `tracewright-${uid}-4194305-abcdef`);
    const alive = join(outside, `tracewright-${uid}-${process.ppid}-abcdef`);
    const foreign = join(outside, 'unrelated');
    for (const each of [dead, alive, foreign]) mkdirSync(each);
    writeFileSync(join(dead, 'perf.data'), 'x');
    const link = join(outside, `tracewright-${uid}-4194306-abcdef`);
    symlinkSync(foreign, link);
    scratchSpace().path('a');
    expect([dead, alive, foreign, link].map((each) => existsSync(each))).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});
