import { afterAll, describe, expect, test } from 'vitest';
import { compareStored } from '../../src/collectors/python-comparison.ts';
import { readFileDetails } from '../../src/collectors/python-file-details.ts';
import { listKept, readKept } from '../../src/collectors/python-kept.ts';
import {
  analyzeProfile,
  readBottlenecks,
  readFunctionSummary,
  readHotspots,
} from '../../src/collectors/python-views.ts';
import { keptProfiles, recordedText, type View } from './kept-python.ts';

const { ctx, keep, remove } = keptProfiles();
afterAll(remove);

const rows = { top_n: 50, offset: 0 };
const hotspots = (type: 'cpu' | 'memory' | 'gpu', profile_id: string) =>
  readHotspots(ctx, type, { profile_id, ...rows });
const analyze = (profile_id: string) =>
  analyzeProfile(ctx, {
    profile_id,
    focus: 'all',
    top_n: 10,
    cpu_threshold: 5,
    memory_threshold_mb: 10,
  }).data;
const compare = (before_id: string, after_id: string) =>
  compareStored(ctx, { before_id, after_id, more_before: [], more_after: [], top_n: 10 });
const details = (profile_id: string, filename: string, changes: object = {}) =>
  readFileDetails(ctx, {
    profile_id,
    filename,
    all_lines: false,
    context: 1,
    limit: 1000,
    offset: 0,
    ...changes,
  });

describe('two real profiles of 1.76 s and 0.53 s', async () => {
  const before = await keep(recordedText('sleep-walltime'));
  const after = await keep(recordedText('cpu.python'));

  test('have their elapsed time', () => {
    expect(analyze(before).summary.elapsed_time_sec).toBe(1.762);
    expect(analyze(after).summary.elapsed_time_sec).toBe(0.528);
  });

  test('differ by 70 %, which is an improvement one way and a regression the other', () => {
    expect(compare(before, after).data).toMatchObject({
      runtime_change_percent: -70.05,
      runtime_improved: true,
      improvements: expect.arrayContaining([expect.stringMatching(/^Elapsed time 1.762 to 0.528/)]),
    });
    const { data, summary } = compare(after, before);
    expect(data).toMatchObject({ runtime_change_percent: 233.88, overall_improved: false });
    expect(summary[0]).toMatch(/^Worse: Elapsed time 0.528 to 1.762 \(\+233.88 %\)/);
  });

  test('have functions with names and first lines, and no files among them', () => {
    const { functions } = readFunctionSummary(ctx, { profile_id: after, ...rows }).data;
    expect(functions[0]).toMatchObject({ function_name: 'hot', start_line: 2, call_count: null });
    expect(functions.map((each) => each.function_name)).not.toContain('unknown');
    expect(functions.map((each) => each.function_name).join()).not.toMatch(/\.py/);
  });
});

describe('a comparison', async () => {
  const first = await keep(recordedText('cpu.python'));

  test('says that versions of Scalene differ', async () => {
    const other = await keep(recordedText('cpu-only-nostacks'));
    expect(compare(first, other).warnings.join()).toMatch(/different versions of Scalene/);
    expect(compare(first, first).warnings).toEqual([]);
  });

  test('says that arguments, memory profiling and completeness differ', async () => {
    const other = await keep(
      recordedText('cpu.python'),
      {},
      {
        args: ['x'],
        memory_profiled: false,
        partial: true,
      },
    );
    const said = compare(first, other).warnings.join(' ');
    expect(said).toMatch(/with memory profiling.*different arguments.*partial/);
  });

  test('of a profile with itself finds no change', () => {
    const { data } = compare(first, first);
    expect(data).toMatchObject({ regressions: [], improvements: [], overall_improved: false });
    expect(data.summary_text).toMatch(/No change above the noise of 5 %/);
  });
});

describe('options that Scalene ignores in JSON', () => {
  const lineOf = ({ lineno }: Readonly<{ lineno: number }>): number => lineno;
  const cpuLines = async (view: View) =>
    hotspots('cpu', await keep(recordedText('memory.python'), view)).data.hotspots.map(lineOf);
  const memoryLines = async (view: View) =>
    hotspots('memory', await keep(recordedText('memory.python'), view)).data.hotspots.map(lineOf);

  test('cpu_percent_threshold leaves out cheaper lines', async () => {
    expect(await cpuLines({})).toEqual([8, 13, 9, 3]);
    expect(await cpuLines({ cpu_percent_threshold: 10 })).toEqual([8, 13]);
    expect((await cpuLines({ cpu_percent_threshold: 0 })).length).toBeGreaterThan(4);
  });

  test('malloc_threshold is bytes that a line allocates', async () => {
    const all = await memoryLines({});
    expect(all).toContain(3);
    // 120 MB at line 3.
    expect(await memoryLines({ malloc_threshold: 100 * 1024 * 1024 })).toContain(3);
    expect(await memoryLines({ malloc_threshold: 1e12 })).toEqual([]);
  });

  test('cpu=false shows no CPU lines', async () => {
    expect(await cpuLines({ cpu: false })).toEqual([]);
    const id = await keep(recordedText('memory.python'), { cpu: false });
    expect(analyze(id).summary.top_cpu_hotspots).toEqual([]);
  });

  test('memory_leak_detector=false shows no verdicts', async () => {
    const text = recordedText('leak-true.');
    expect(analyze(await keep(text)).leaks).toHaveLength(1);
    expect(analyze(await keep(text, { memory_leak_detector: false })).leaks).toEqual([]);
  });

  test('reduced_profile leaves lines of high activity, whatever else is asked for', async () => {
    const id = await keep(recordedText('memory.python'), { reduced_profile: true });
    const { lines } = details(id, 'mem.py', { all_lines: true }).data;
    expect(lines.map(lineOf)).toEqual([3, 5, 8, 9, 12, 13, 14]);
  });
});

describe('a GPU', () => {
  test('that is not there is unavailable, with the reason', async () => {
    const { data, unavailable } = hotspots('gpu', await keep(recordedText('cpu.python')));
    expect(data.hotspots).toEqual([]);
    expect(unavailable).toMatchObject([{ what: 'gpu', reason: expect.stringMatching(/no GPU/) }]);
  });

  test('that was profiled has lines, and memory where there is some', async () => {
    // No GPU at hand: the figures of one line are put into a real profile.
    const real = JSON.parse(recordedText('numpy.python'));
    real.gpu_device = 'GPU';
    const [file] = Object.values<{ lines: Record<string, unknown>[] }>(real.files);
    Object.assign(file?.lines[5] ?? {}, { n_gpu_percent: 60, n_gpu_peak_memory_mb: 1500 });
    const id = await keep(JSON.stringify(real));
    expect(hotspots('gpu', id).data.hotspots).toMatchObject([
      { lineno: 6, gpu_percent: 60, severity: 'high', rule: 'gpu' },
    ]);
    const [row] = readBottlenecks(ctx, {
      profile_id: id,
      cpu_threshold: 5,
      memory_threshold_mb: 10,
    }).data.gpu;
    expect(row).toMatchObject({ gpu_percent: 60, gpu_memory_mb: 1500, severity: 'high' });
    expect(analyze(id).summary).toMatchObject({ gpu_enabled: true, gpu_utilization_percent: 60 });
  });
});

describe('bottlenecks', async () => {
  const id = await keep(recordedText('memory.python'));
  const of = (cpu_threshold: number, memory_threshold_mb: number) =>
    readBottlenecks(ctx, { profile_id: id, cpu_threshold, memory_threshold_mb }).data;

  test('are the lines above the thresholds, dearest first, with evidence', () => {
    const { cpu, memory } = of(5, 10);
    expect(cpu.map(({ line, severity }) => [line, severity])).toEqual([
      [8, 'high'],
      [13, 'medium'],
      [9, 'medium'],
    ]);
    expect(memory[0]).toMatchObject({ severity: 'high', rule: 'large-peak' });
    for (const row of [...cpu, ...memory]) {
      if (row.rule) expect(row).toMatchObject({ evidence: expect.stringMatching(/\d/) });
    }
  });

  test('are none above the highest', () => {
    expect(of(100, 1e6)).toMatchObject({ cpu: [], memory: [] });
  });
});

describe('a file', async () => {
  const id = await keep(recordedText('escaped-source'));

  test('is found by the end of its path, its source as it was written', () => {
    const { data } = details(id, 'lt.py', { all_lines: true });
    expect(data.filename).toBe('/srv/app/lt.py');
    expect(data.lines.map((each) => each.line).join('\n')).toMatch(/[<>&]/);
  });

  test('that is not there is answered with those that are', () => {
    expect(() => details(id, 'other.py')).toThrow(/no file "other.py"/);
  });

  test('is shown with idle lines only where they are asked for', () => {
    const few = details(id, 'lt.py', { context: 0 }).data.lines.length;
    const all = details(id, 'lt.py', { all_lines: true }).data.lines.length;
    expect(few).toBeLessThan(all);
  });
});

describe('kept profiles', () => {
  test('are listed newest first, and go when they are told to', async () => {
    const id = await keep(recordedText('cpu.python'));
    expect(listKept(ctx, { limit: 200, offset: 0 }).data.profiles).toContain(id);
    expect(readKept(ctx, { profile_id: id, include: 'summary', delete: true }).data).toMatchObject({
      deleted: true,
    });
    expect(listKept(ctx, { limit: 200, offset: 0 }).data.profiles).not.toContain(id);
    expect(() => analyze(id)).toThrow(/There is no profile/);
  });

  test('give stacks, and stacks as flame graph programs read them', async () => {
    const profile_id = await keep(recordedText('stacks'));
    const { stacks } = readKept(ctx, { profile_id, include: 'stacks', delete: false }).data;
    const { data } = readKept(ctx, { profile_id, include: 'collapsed', delete: false });
    const [heaviest] = stacks ?? [];
    const text = ['cpu.py', ...(heaviest?.frames ?? [])].join(';');
    expect(data).toMatchObject({
      collapsed: expect.arrayContaining([`${text} ${heaviest?.samples}`]),
    });
  });

  test('without stacks say how to get them', async () => {
    const profile_id = await keep(recordedText('cpu-only-nostacks'));
    const { unavailable } = readKept(ctx, { profile_id, include: 'collapsed', delete: false });
    expect(unavailable).toContainEqual({
      what: 'stacks',
      reason: 'None were collected.',
      fix: 'Profile with stacks=true.',
    });
  });

  test.each(['../../etc/passwd', 'python_unknown', ''])('%j is no profile', (id) => {
    expect(() => analyze(id)).toThrow(/There is no profile/);
  });
});

test('what was not measured is absent, and no 0', async () => {
  const id = await keep(recordedText('cpu-only-nostacks'));
  const { summary, by_file } = analyze(id);
  expect(summary).toMatchObject({ max_memory_mb: null, total_allocations_mb: null });
  expect(Object.values(by_file)[0]).toMatchObject({ memory_peak_mb: null, allocated_mb: null });
  const [first] = readFunctionSummary(ctx, { profile_id: id, ...rows }).data.functions;
  expect(first).toMatchObject({ memory_peak_mb: null, gpu_percent: null });
  expect(hotspots('cpu', id).data.hotspots[0]).toMatchObject({
    memory_mb: null,
    gpu_percent: null,
  });
});

test('memory of which no allocation was sampled is absent, with the reason', async () => {
  const id = await keep(recordedText('threads.python-3.13.scalene-1.5.51'));
  expect(analyze(id).summary.max_memory_mb).toBeNull();
  expect(hotspots('memory', id).unavailable).toMatchObject([
    { what: 'memory', reason: expect.stringMatching(/No allocation was sampled|Only the CPU/) },
  ]);
});

test('a partial profile says so', async () => {
  const id = await keep(recordedText('sigterm'), {}, { outcome: 'timed_out', partial: true });
  const { unavailable, summary } = analyzeProfile(ctx, {
    profile_id: id,
    focus: 'cpu',
    top_n: 5,
    cpu_threshold: 5,
    memory_threshold_mb: 10,
  });
  expect(summary[0]).toMatch(/stopped at its time limit: the profile is partial/);
  expect(unavailable.map((each) => each.what)).toContain('the rest of the run');
});

test('waiting is told apart from computing', async () => {
  const { waiting, hotspots: hot } = analyze(await keep(recordedText('sleep-walltime')));
  expect(waiting[0]).toMatchObject({ code: expect.stringMatching(/sleep/) });
  expect(hot.map((each) => each.line).join()).not.toMatch(/sleep/);
});
