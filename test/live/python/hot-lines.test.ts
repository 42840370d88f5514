import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Answer, missing, pythonRoom, scalenes } from './room.ts';

vi.setConfig({ testTimeout: 120_000 });

type Scenario = Readonly<{
  program: string;
  name: string;
  line: RegExp;
  /** Of all CPU time of the run, in percent. */
  share: number;
  args?: readonly string[];
}>;

/** What Scalene, its shells and its own arguments might stumble over. */
const words = ['--outfile', 'x.json', '---', '-o', "it's", '*.py', ''];

/**
 * Where each program spends its CPU time, and how much of it at least: it does nothing else, so what
 * is missing to 100 % is the start of Python, of Scalene and of the libraries. The line may be that
 * of the loop: 2.x gives half of a body to its header, and native calls are charged to the next line.
 */
const scenarios: readonly Scenario[] = [
  // hot() does ten times what cold() does.
  { program: 'hot.py', name: 'hot', line: /^total \+= i % 7$|^for i in/, share: 70 },
  { program: 'numpy_product.py', name: 'multiply', line: /@ left$|^for _ in/, share: 40 },
  { program: 'sorting.py', name: 'arrange', line: /^sorted|^for _ in/, share: 40 },
  // Scalene looks at other threads when the main one runs, often when a thread has just ended.
  { program: 'threads.py', name: 'spin', line: /^total \+= i % 3$|^for i in|^return/, share: 60 },
  { program: 'processes.py', name: 'spin', line: /^total \+= i % 3$|^for i in/, share: 60 },
  { program: 'tasks.py', name: 'work', line: /^total \+= i % 5$|^for i in/, share: 60 },
  {
    program: 'arguments.py',
    name: 'spell',
    line: /^total \+= i % len\(words\)$|^for i in/,
    share: 60,
    args: words,
  },
  { program: 'fails.py', name: 'work', line: /^total \+= i % 5$|^for i in/, share: 60 },
  { program: 'exits.py', name: 'work', line: /^total \+= i % 5$|^for i in/, share: 60 },
  { program: "a folder with 'quotes'/hot.py", name: 'hot', line: /^total|^for i in/, share: 70 },
  { program: 'waits.py', name: 'work', line: /^total \+= i % 5$|^for i in/, share: 60 },
];

describe.skipIf(missing).each(scalenes)(`Scalene $version ${missing}`, ({ python }) => {
  const { call, profile, lines, functions, remove } = pythonRoom(python);
  afterAll(remove);

  /** Each program runs once for all that is asked of its profile; anew where its first test is repeated. */
  const answers = new Map<string, Promise<Answer>>();
  function once(program: string, args: readonly string[] = []): Promise<Answer> {
    const answer = answers.get(program) ?? profile(program, { memory: false, args });
    answers.set(program, answer);
    return answer;
  }

  test.each(scenarios)('finds the hot line of $program', async ({ program, ...expected }) => {
    answers.delete(program);
    const answer = await once(program, expected.args);
    const [hottest] = await lines('cpu', answer);
    expect(hottest?.line).toMatch(expected.line);
    const uses = await functions(answer);
    const cpu = (rows: readonly Readonly<Record<string, unknown>>[]): number =>
      rows.reduce((sum, row) => sum + Number(row['cpu_percent']), 0);
    // 1.5.16 puts the class of the thread or task before the function that it runs.
    const own = uses.filter(
      (each) => String(each['function_name']).split('.').at(-1) === expected.name,
    );
    expect((cpu(own) / cpu(uses)) * 100).toBeGreaterThan(expected.share);
  });

  test('finds the hot line of a module', async () => {
    const answer = await call('profile_script', { module: 'pkg', project: '.', memory: false });
    expect((await lines('cpu', answer))[0]?.line).toMatch(/^total \+= i % 7$|^for i in/);
    expect((await functions(answer))[0]?.['function_name']).toBe('hot');
  });

  test('finds the hot line of a text, which runs as nobody and sees nothing of ours', async () => {
    const code = [
      'import os, sys',
      'def hot():',
      '    s = 0',
      '    for i in range(6000000):',
      '        s += i % 7',
      'hot()',
      'print(os.getuid(), repr(sys.stdin.read()), os.environ.get("TRACEWRIGHT_TEST_SECRET"))',
    ].join('\n');
    process.env['TRACEWRIGHT_TEST_SECRET'] = 'ours';
    const answer = await call('profile_code', { code, memory: false });
    const uid = process.getuid?.() === 0 ? 65_534 : process.getuid?.();
    expect(answer.data.program_output.last_stdout).toContain(`${uid} '' None`);
    expect(answer.data.summary).toMatchObject({ files_profiled: ['snippet.py'] });
    expect((await lines('cpu', answer))[0]?.line).toMatch(/^s \+= i % 7$|^for i in/);
  });

  test('finds the line that allocates', async () => {
    const answer = await profile('grow.py');
    // 150 MB are 143 MiB; the sampling window is 10 MiB in 1.5 and 1 MiB in 2.x.
    expect(answer.data.summary['max_memory_mb']).toBeGreaterThan(143 - 21);
    expect(answer.data.summary['max_memory_mb']).toBeLessThan(143 + 21);
    const rows = await lines('memory', answer);
    expect(rows.slice(0, 2).map((row) => row.line)).toContain('kept.append(bytearray(1_000_000))');
  });

  test('tells native code from Python', async () => {
    // Which of both gets how much is an affair of the version; all of it is the product itself.
    const numpy = await once('numpy_product.py');
    expect(numpy.data.summary['native_time_percent']).toBeGreaterThan(15);
  });

  test('passes on every argument as it is, and none of its own', async () => {
    const answer = await once('arguments.py', words);
    expect(answer.data.program_output.last_stdout).toContain(
      `['--outfile', 'x.json', '---', '-o', "it's", '*.py', '']`,
    );
  });

  test('does not take waiting for computing', async () => {
    const answer = await once('waits.py');
    // It sleeps for 1.2 s, and computes for half a second where it has a CPU for itself.
    expect(answer.data.summary['waiting_time_percent']).toBeGreaterThan(40);
    expect(answer.summary.join(' ')).toMatch(/waits .* % of the run at .*waits\.py:12/);
    const virtual = await profile('waits.py', { memory: false, use_virtual_time: true });
    const { data } = await call('analyze_profile', { profile_id: virtual.data.profile_id });
    const waiting = data['waiting'] as { code: string }[];
    expect(waiting.map((each) => each.code).join()).not.toMatch(/sleep/);
  });
});
