import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { missing, pythonRoom, scalenes } from './room.ts';

vi.setConfig({ testTimeout: 120_000 });

const time = '/usr/bin/time';
const noTime = existsSync(time) ? '' : '(skipped: /usr/bin/time is not installed)';

describe.skipIf(missing).each(scalenes)(`Scalene $version ${missing}`, ({ version, python }) => {
  const { call, profile, functions, folder, remove } = pythonRoom(python);
  afterAll(remove);

  /** Seconds and MiB of the program alone, as the kernel accounts for them. */
  function timed(...args: readonly string[]): { elapsed_s: number; peak_mb: number } {
    const script = `exec ${time} -f '%e %M' "$@" 2>&1 >/dev/null`;
    const words = ['-c', script, 'sh', python, 'totals.py', ...args];
    const told = execFileSync('/bin/sh', words, { cwd: folder, encoding: 'utf8', env: {} });
    const [elapsed_s = 0, peak_kb = 0] = (told.trim().split('\n').at(-1) ?? '')
      .split(' ')
      .map(Number);
    return { elapsed_s, peak_mb: peak_kb / 1024 };
  }

  test.skipIf(noTime)(`are those of /usr/bin/time ${noTime}`, { retry: 2 }, async () => {
    const [alone, empty] = [timed('3', '300'), timed('0', '0')];
    const { data } = await profile('totals.py', { args: ['3', '300'] });
    const { elapsed_time_sec, max_memory_mb } = data.summary;
    // The start of Python is in one and not in the other.
    const elapsed_s = alone.elapsed_s - empty.elapsed_s;
    expect(Math.abs(Number(elapsed_time_sec) / elapsed_s - 1)).toBeLessThan(0.05);
    // Scalene tells memory beyond that of Python itself, to two of its sampling windows (10 MiB in
    // 1.5, 1 MiB in 2.x), and not what it takes for itself.
    const peak_mb = alone.peak_mb - empty.peak_mb;
    const window_mb = version === '2.3.0' ? 1 : 10;
    const allowed_mb = 2 * window_mb + 0.03 * peak_mb;
    expect(Math.abs(Number(max_memory_mb) - peak_mb)).toBeLessThan(allowed_mb);
  });

  test('of lines, functions and files are the whole run, named with its version', async () => {
    const answer = await profile('hot.py', { memory: false });
    const { python_time_percent, native_time_percent, waiting_time_percent } = answer.data.summary;
    const whole =
      Number(python_time_percent) + Number(native_time_percent) + Number(waiting_time_percent);
    const sum = (rows: readonly Readonly<Record<string, unknown>>[]): number =>
      rows.reduce(
        (all, row) => all + Number(row['cpu_percent']) + Number(row['waiting_percent']),
        0,
      );
    const { data } = await call('get_profile', { profile_id: answer.data.profile_id });
    const files = data['files'] as Readonly<Record<string, unknown>>[];
    const known = version.startsWith('of') ? /^\d+\.\d+\.\d+$/ : new RegExp(`^${version}$`);
    expect(data['run']).toMatchObject({ scalene_version: expect.stringMatching(known) });
    // What Scalene leaves out are samples in its own and in hidden files.
    expect(whole).toBeGreaterThan(95);
    expect(whole).toBeLessThan(100.5);
    // Each row is rounded to two digits.
    expect(Math.abs(sum(await functions(answer)) - whole)).toBeLessThan(0.2);
    expect(Math.abs(sum(files) - whole)).toBeLessThan(0.2);
  });

  test('of the documented example name its function and its gain', { retry: 2 }, async () => {
    const slow = await profile('fibonacci.py', { memory: false });
    const fast = await profile('fibonacci.py', { memory: false, args: ['remembering'] });
    expect(slow.data.summary['elapsed_time_sec']).toBeGreaterThan(0.1);
    expect((await functions(slow))[0]?.['function_name']).toBe('fibonacci');
    const { data } = await call('compare_profiles', {
      before_id: slow.data.profile_id,
      after_id: fast.data.profile_id,
    });
    expect(data).toMatchObject({ runtime_improved: true, cpu_improved: true });
    expect(data['improvements']).toContainEqual(expect.stringMatching(/^fibonacci /));
    expect(data['runtime_change_percent']).toBeLessThan(-20);
  });

  test('of a slower version are named first, with its function', { retry: 2 }, async () => {
    const ids: string[] = [];
    for (const rounds of ['20', '20', '20', '50']) {
      const { data } = await profile('hot.py', { args: [rounds], memory: false });
      ids.push(data.profile_id);
    }
    const [before_id, b2, b3, after_id] = ids;
    const { data } = await call('compare_profiles', {
      before_id,
      after_id,
      more_before: [b2, b3],
    });
    expect(data['noise_source']).toBe('repeated runs');
    expect(data['runtime_change_percent']).toBeGreaterThan(60);
    const [worst, next] = data['regressions'] as string[];
    expect(worst).toMatch(/Elapsed time/);
    expect(next).toMatch(/^hot /);
  });
});
