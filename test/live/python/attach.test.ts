import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { collectCpuProfile } from '../../../src/collectors/cpu-profile.ts';
import { type Context, createContext } from '../../../src/context.ts';
import { missing, pythonRoom, scalenes } from './room.ts';

vi.setConfig({ testTimeout: 60_000 });

const call = { signal: new AbortController().signal, progress: () => {} };
const query = {
  duration_seconds: 2,
  sample_rate_hz: 99,
  include_kernel: true,
  output_format: 'summary',
} as const;

describe.skipIf(missing)(`a Python that runs already ${missing}`, () => {
  const python = scalenes.at(-1)?.python ?? '';
  const { ctx, folder, remove } = pythonRoom(python);
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });
  afterAll(remove);

  /** A host on which of both samplers this one is installed. */
  const having = (only: string | null): Context => ({
    ...ctx,
    find: (program) =>
      /(?:py-spy|austin)$/.test(program.name) && !program.name.endsWith(only ?? '/')
        ? { problem: 'missing', path: null }
        : ctx.find(program),
  });

  async function run(program: string): Promise<number> {
    const child = spawn(python, [program], { cwd: folder, stdio: 'ignore' });
    started.push(child);
    await delay(500);
    return child.pid ?? 0;
  }

  test.each(['py-spy', 'austin'])(
    'is told by line by %s while it goes on',
    { retry: 2 },
    async (method) => {
      const pid = await run('forever.py');
      const { data, summary } = await collectCpuProfile(having(method), { ...query, pid }, call);
      expect(data.python).toMatchObject({ method });
      const [line] = data.python?.lines ?? [];
      expect(line).toMatchObject({ function_name: 'work', file: `${folder}/forever.py` });
      // "while True:" costs nothing of its own: all is in its body.
      expect(line).toMatchObject({ line: 4 });
      expect(line?.self_percent).toBeGreaterThan(80);
      expect(summary.join(' ')).toContain(`Python itself (${method}): work (`);
      expect(started[0]?.exitCode).toBeNull();
    },
  );

  test('is told without lines, and with what is missing, where no sampler is there', async () => {
    const pid = await run('forever.py');
    const { data, unavailable } = await collectCpuProfile(having(null), { ...query, pid }, call);
    expect(data.python).toBeNull();
    expect(data.total_samples).toBeGreaterThan(0);
    expect(unavailable).toContainEqual({
      what: 'python (lines of the program)',
      reason: 'Neither py-spy nor Austin is installed.',
      fix: expect.stringContaining('pip install'),
    });
  });

  test('is the one whose executable is a Python, and no other', async () => {
    const plain = createContext({ daemon: false, readOnly: false });
    const { data } = await collectCpuProfile(plain, { ...query, pid: process.pid }, call);
    expect(data).not.toHaveProperty('python');
  });
});
