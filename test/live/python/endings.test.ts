import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { missing, pythonRoom, scalenes } from './room.ts';

vi.setConfig({ testTimeout: 120_000 });

const isRoot = process.getuid?.() === 0;
const running = (): string => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });

describe.skipIf(missing).each(scalenes)(`Scalene $version ${missing}`, ({ python }) => {
  const { call, profile, lines, folder, remove } = pythonRoom(python);
  afterAll(remove);

  test('an exception keeps the profile and shows the last words of the program', async () => {
    const answer = await profile('fails.py', { memory: false });
    expect(answer.data.summary['outcome']).toBe('program_failed');
    expect(answer.data.program_output.last_stderr.join('\n')).toMatch(
      /ValueError: planted failure/,
    );
  });

  test('an exit code keeps the profile, and the program runs as the owner of its file', async () => {
    if (isRoot) chownSync(join(folder, 'exits.py'), 1234, 1234);
    const answer = await profile('exits.py', { memory: false });
    const uid = isRoot ? 1234 : process.getuid?.();
    expect(answer.data.program_output.last_stdout).toContain(`uid ${uid}`);
    expect(answer.data.summary).toMatchObject({ outcome: 'exited_with_code', exit_code: 3 });
  });

  test('an endless program is stopped, and what was sampled is kept as a part', async () => {
    const answer = await profile('forever.py', { memory: false, timeout: 3 });
    expect(answer.data.summary).toMatchObject({ outcome: 'timed_out', partial: true });
    expect(answer.summary.join(' ')).toMatch(/partial/);
    const [hottest] = await lines('cpu', answer);
    expect(hottest?.line).toMatch(/^total \+= 1$|^while True:$/);
  });

  test('a run that its caller cancels keeps what was sampled', async () => {
    const signal = AbortSignal.timeout(3000);
    const args = { script_path: 'forever.py', memory: false };
    const error = await call('profile_script', args, signal).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'CANCELED' });
    const [, profile_id = ''] = /kept as (\w+)/.exec(String(error)) ?? [];
    const { data } = await call('get_profile', { profile_id });
    expect(data['run']).toMatchObject({ outcome: 'canceled', partial: true });
  });

  test('a program that forks and ignores signals leaves no process and no file', async () => {
    const before = readdirSync('/tmp').filter((name) => name.startsWith('scalene-'));
    await expect(profile('stubborn.py', { timeout: 3 })).rejects.toThrow(/ended only by force/);
    // The kernel clears the namespace away within a moment.
    await delay(200);
    expect(running()).not.toContain(`${folder}/stubborn.py`);
    const after = readdirSync('/tmp').filter((name) => name.startsWith('scalene-'));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  test('a flood of output is counted, and only its end is kept', async () => {
    const answer = await profile('flood.py', { memory: false, timeout: 30 });
    expect(answer.data.program_output.stdout_bytes).toBeGreaterThan(5_000_000);
    expect(JSON.stringify(answer).length).toBeLessThan(40_000);
    const rows = await lines('cpu', answer);
    expect(
      rows
        .slice(0, 2)
        .map((row) => row.line)
        .join(),
    ).toMatch(/print\(line\)|for _ in/);
  });

  test.each([
    ['short.py', /took no sample/],
    ['broken.py', /does not compile: SyntaxError/],
    ['latin.py', /UTF-8/],
    ['absent.py', /There is no file/],
    ['/etc/passwd', /outside the folders/],
    ['../state', /outside the folders/],
  ])('%s is answered in words of its own', async (program, words) => {
    await expect(profile(program, { memory: false })).rejects.toThrow(words);
  });

  test('two servers that profile memory at once both answer', async () => {
    const other = pythonRoom(python);
    const answers = await Promise.all([profile('grow.py'), other.profile('grow.py')]);
    other.remove();
    for (const { data, warnings } of answers) {
      expect(data.summary['outcome']).toBe('completed');
      // Scalene's buffers have one name for both; who comes second goes without.
      if (data.summary['max_memory_mb'] === null) {
        expect(warnings.join()).toMatch(/another Scalene.*CPU profile alone/);
      } else expect(data.summary['max_memory_mb']).toBeGreaterThan(143 - 21);
    }
  });

  test('a crash is told with its signal', async () => {
    await expect(profile('crashes.py')).rejects.toThrow(/SIGSEGV.*no profile/);
  });

  test('a crash under memory profiling is followed by a profile of the CPU alone', async () => {
    const answer = await profile('crashes_with_memory.py');
    expect(answer.warnings.join()).toMatch(
      /With memory profiling the program crashed.*CPU profile alone/,
    );
    expect(answer.data.summary).toMatchObject({ outcome: 'completed', max_memory_mb: null });
    expect((await lines('cpu', answer))[0]?.line).toMatch(/^total \+= i % 5$|^for i in/);
  });
});
