import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { surface } from '../../../src/surface.ts';
import { missing, pythonRoom, scalenes } from './scalene.ts';

vi.setConfig({ testTimeout: 120_000 });

type Line = { filename: string; lineno: number; line: string; function_name: string | null };
type Answer = {
  summary: string[];
  warnings: string[];
  data: Record<string, unknown> & { profile_id: string };
};

describe.skipIf(missing).each(scalenes)(`Scalene $version ${missing}`, ({ version, python }) => {
  const { ctx, folder, remove } = pythonRoom(python);
  // mkdtemp makes it for its owner alone; programs run as somebody else.
  chmodSync(dirname(folder), 0o755);
  afterAll(remove);

  async function call(name: string, args: object): Promise<Answer> {
    const tool = surface.tools({ readOnly: false }).find((each) => each.name === name);
    if (!tool) throw new Error(name);
    const { signal } = new AbortController();
    const answer: unknown = await surface.callTool(tool, args, ctx, {
      signal,
      progress: () => {},
    });
    return answer as Answer;
  }
  const profile = (program: string, args: object = {}) =>
    call('profile_script', { script_path: program, ...args });
  const summaryOf = ({ data }: Answer) =>
    data['summary'] as Record<string, number> & { outcome: string };

  test('the hot function and its line come first', async () => {
    const { data } = await profile('hot.py', { memory: false });
    const { data: functions } = await call('get_function_summary', { profile_id: data.profile_id });
    const [first, second] = functions['functions'] as {
      function_name: string;
      cpu_percent: number;
    }[];
    expect(first?.function_name).toBe('hot');
    // It does ten times what cold() does.
    expect(first?.cpu_percent).toBeGreaterThan(5 * (second?.cpu_percent ?? 0));
    const { data: lines } = await call('get_cpu_hotspots', { profile_id: data.profile_id });
    const [line] = lines['hotspots'] as Line[];
    expect(line?.function_name).toBe('hot');
    expect(line?.line).toMatch(/^total \+= i % 7$|^for i in range\(n\):$/);
  });

  test('functions add up to the whole run', async () => {
    const { data } = await profile('hot.py', { memory: false });
    const { data: all } = await call('get_function_summary', {
      profile_id: data.profile_id,
      top_n: 500,
    });
    const rows = all['functions'] as { cpu_percent: number; waiting_percent: number }[];
    const total = rows.reduce((sum, row) => sum + row.cpu_percent + row.waiting_percent, 0);
    expect(total).toBeGreaterThan(95);
    expect(total).toBeLessThan(100.5);
  });

  test('arguments reach the program and none of ours does', async () => {
    const { data } = await profile('hot.py', { args: ['40'], memory: false });
    const { data: kept } = await call('get_profile', { profile_id: data.profile_id });
    expect(kept['run']).toMatchObject({ args: ['40'], outcome: 'completed', exit_code: 0 });
  });

  test('elapsed time is that of the program, within 5 % and the start of Python', async () => {
    const began = performance.now();
    const timed = execFileSync(
      '/usr/bin/env',
      [
        ...['-i', python, '-c'],
        'import time,runpy,sys;sys.argv=["hot.py","40"];t=time.monotonic();runpy.run_path(sys.argv[0],run_name="__main__");print(time.monotonic()-t)',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(performance.now() - began).toBeGreaterThan(0);
    const alone_s = Number(timed);
    const answer = await profile('hot.py', { args: ['40'], memory: false });
    const { elapsed_time_sec = 0, wall_time_sec = 0 } = summaryOf(answer);
    // Sampling itself costs: what Scalene took must lie between the bare run and the whole command.
    expect(elapsed_time_sec).toBeGreaterThan(0.8 * alone_s);
    expect(elapsed_time_sec).toBeLessThan(wall_time_sec);
  });

  test('native code is told from Python', async () => {
    const answer = await profile('native.py', { memory: false });
    // Sorting is native; which version gives how much of it to Python is its own affair.
    expect(summaryOf(answer)['native_time_percent']).toBeGreaterThan(15);
  });

  test('memory is seen at the line that allocates it', async () => {
    const answer = await profile('grow.py');
    const { max_memory_mb = 0 } = summaryOf(answer);
    expect(max_memory_mb).toBeGreaterThan(110);
    expect(max_memory_mb).toBeLessThan(190);
    const { data } = await call('get_memory_hotspots', { profile_id: answer.data.profile_id });
    const rows = data['hotspots'] as Line[];
    expect(rows.slice(0, 2).map((row) => row.line)).toContain('kept.append(bytearray(1_000_000))');
  });

  test('waiting is not computing', async () => {
    const answer = await profile('waits.py', { memory: false });
    expect(summaryOf(answer)['waiting_time_percent']).toBeGreaterThan(50);
    expect(answer.summary.join(' ')).toMatch(/waits .* % of the run at .*waits\.py:12/);
    const { data } = await call('get_cpu_hotspots', { profile_id: answer.data.profile_id });
    expect((data['hotspots'] as Line[])[0]?.line).not.toMatch(/sleep/);
  });

  test('with virtual time the sleep is gone', async () => {
    const { data } = await profile('waits.py', { memory: false, use_virtual_time: true });
    const { data: all } = await call('analyze_profile', { profile_id: data.profile_id });
    const waiting = all['waiting'] as { code: string }[];
    expect(waiting.map((each) => each.code).join()).not.toMatch(/sleep/);
  });

  test.each([
    ['threads.py', 'spin'],
    ['processes.py', 'spin'],
    ['tasks.py', 'work'],
  ])('%s: the work of %s() is found', async (program, name) => {
    const { data } = await profile(program, { memory: false });
    const { data: functions } = await call('get_function_summary', { profile_id: data.profile_id });
    const rows = functions['functions'] as { function_name: string }[];
    expect(rows.slice(0, 2).map((row) => row.function_name)).toContain(name);
  });

  test('an exception keeps the profile and shows the last words of the program', async () => {
    const answer = await profile('fails.py', { memory: false });
    expect(summaryOf(answer).outcome).toBe('program_failed');
    expect(JSON.stringify(answer.data['program_output'])).toMatch(/planted failure/);
  });

  test('an exit code keeps the profile', async () => {
    const answer = await profile('exits.py', { memory: false });
    expect(summaryOf(answer)).toMatchObject({ outcome: 'exited_with_code', exit_code: 3 });
  });

  test('an endless program is stopped, and what was sampled is kept', async () => {
    const answer = await profile('forever.py', { memory: false, timeout: 4 });
    expect(summaryOf(answer)).toMatchObject({ outcome: 'timed_out', partial: true });
    const { data } = await call('get_cpu_hotspots', { profile_id: answer.data.profile_id });
    expect((data['hotspots'] as Line[])[0]?.function_name).toBe('work');
  });

  test('a program that forks and ignores signals leaves no process', async () => {
    await expect(profile('stubborn.py', { memory: false, timeout: 3 })).rejects.toThrow(
      /ended only by force/,
    );
    const left = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(left).not.toContain('stubborn.py');
  });

  test('a flood of output is counted and neither kept nor passed on', async () => {
    const answer = await profile('flood.py', { memory: false, timeout: 30 });
    const output = answer.data['program_output'] as { stdout_bytes: number; last_stdout: string[] };
    expect(output.stdout_bytes).toBeGreaterThan(5_000_000);
    expect(JSON.stringify(answer).length).toBeLessThan(40_000);
  });

  test('a folder with spaces and quotes is only a folder', async () => {
    const { data } = await profile("a folder with 'quotes'/hot.py", { memory: false });
    const { data: file } = await call('get_file_details', {
      profile_id: data.profile_id,
      filename: "a folder with 'quotes'/hot.py",
    });
    expect(file['total_cpu_percent']).toBeGreaterThan(50);
  });

  test('a module runs as python -m does', async () => {
    const { data } = await call('profile_script', { module: 'pkg', project: '.', memory: false });
    const { data: functions } = await call('get_function_summary', { profile_id: data.profile_id });
    expect((functions['functions'] as { function_name: string }[])[0]?.function_name).toBe('hot');
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

  test('a crash under memory profiling is said', async () => {
    await expect(profile('crashes.py')).rejects.toThrow(/no profile/);
  });

  test('code runs as nobody and is shown under a plain name', async () => {
    const code =
      'import os\ndef hot():\n    s = 0\n    for i in range(6000000):\n        s += i % 7\nhot()\nprint("uid", os.getuid())\n';
    const answer = await call('profile_code', { code, memory: false });
    const output = answer.data['program_output'] as { last_stdout: string[] };
    const uid = process.getuid?.() === 0 ? 65_534 : process.getuid?.();
    expect(output.last_stdout.join(' ')).toContain(`uid ${uid}`);
    expect(answer.data['summary']).toMatchObject({ files_profiled: ['snippet.py'] });
  });

  test('a slower version is named first, with its function', async () => {
    const ids = [];
    for (const rounds of ['20', '20', '20', '40', '40', '40']) {
      const { data } = await profile('hot.py', { args: [rounds], memory: false });
      ids.push(data.profile_id);
    }
    const [before_id, b2, b3, after_id, a2, a3] = ids;
    const { data } = await call('compare_profiles', {
      before_id,
      after_id,
      more_before: [b2, b3],
      more_after: [a2, a3],
    });
    expect(data['noise_source']).toBe('repeated runs');
    expect(data['runtime_change_percent']).toBeGreaterThan(40);
    const [worst, next] = data['regressions'] as string[];
    expect(worst).toMatch(/Elapsed time/);
    expect(next).toMatch(/^hot /);
  });

  test('is named with each profile', async () => {
    const { data } = await profile('hot.py', { memory: false });
    const { data: kept } = await call('get_profile', { profile_id: data.profile_id });
    expect(kept['run']).toMatchObject({ scalene_version: version });
  });
});
