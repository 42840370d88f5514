import { afterAll, describe, expect, test } from 'vitest';
import type { Command } from '../../allowlist/command.ts';
import { killAllGroups } from '../../src/exec/live-groups.ts';
import { run, start } from '../../src/exec/start.ts';
import { isRunning, programsForTest } from './commands.ts';

const programs = programsForTest();
const { command } = programs;
/** Between the first signal and SIGKILL. */
const grace_ms = 2000;
afterAll(programs.remove);

/** A program that has printed what it prints first, and what it has printed so far. */
async function begun(given: Command, first: RegExp, signal?: AbortSignal) {
  let said = '';
  const running = await start(given, {
    signal,
    onStdout: (text) => {
      said += text;
    },
  });
  await expect.poll(() => said, { timeout: 20_000 }).toMatch(first);
  return { ...running, said: () => said };
}

describe('the end of a program', () => {
  test('an exit code and text on stderr are data, not a failure', async () => {
    const finished = await run(command('exit-3'));
    expect(finished).toMatchObject({
      stdout: 'partial\n',
      stderr: 'cannot open counter\n',
      exit_code: 3,
      signal: null,
      stopped_by: 'exit',
    });
  });

  test('the deadline asks with SIGINT and keeps what the program then prints', async () => {
    const finished = await run(command('forever', { duration_ms: 1000 }));
    expect(finished).toMatchObject({
      stdout: 'ready\nsummary\n',
      exit_code: 0,
      stopped_by: 'deadline',
    });
    expect(finished.duration_ms).toBeGreaterThanOrEqual(1000);
    // Then comes SIGKILL.
    expect(finished.duration_ms).toBeLessThan(1000 + grace_ms);
  });

  test('a program that ignores SIGINT dies by SIGKILL after the grace time', async () => {
    const finished = await run(command('ignore-int', { duration_ms: 1000 }));
    expect(finished).toMatchObject({ stdout: 'ready\n', signal: 'SIGKILL', exit_code: null });
    expect(finished.duration_ms).toBeGreaterThanOrEqual(1000 + grace_ms);
    expect(finished.duration_ms).toBeLessThan(1000 + 2 * grace_ms);
  });

  test('stop() asks once and the program can still print', async () => {
    const running = await begun(command('forever'), /ready/);
    running.stop();
    running.stop();
    expect(await running.finished).toMatchObject({ exit_code: 0, stopped_by: 'caller' });
    expect(running.said()).toBe('ready\nsummary\n');
    running.stop();
  });

  test('stop() uses the stop signal of the command', async () => {
    const running = await begun(command('forever', { stopSignal: 'SIGTERM' }), /ready/);
    running.stop();
    expect(await running.finished).toMatchObject({ signal: 'SIGTERM' });
    expect(running.said()).toBe('ready\n');
  });

  test('a canceled request stops the program and rejects with CANCELED', async () => {
    const canceling = new AbortController();
    const running = await begun(command('forever'), /ready/, canceling.signal);
    canceling.abort();
    expect((await running.finished).stopped_by).toBe('canceled');
    expect(isRunning(running.pid)).toBe(false);

    const second = new AbortController();
    setTimeout(() => second.abort(), 200);
    await expect(run(command('forever'), { signal: second.signal })).rejects.toMatchObject({
      code: 'CANCELED',
    });
  });

  test('a request canceled before the start starts nothing', async () => {
    const starting = new AbortController();
    const started = start(command('forever'), { signal: starting.signal });
    starting.abort();
    await expect(started).rejects.toMatchObject({ code: 'CANCELED' });
  });
});

describe('the group of a program', () => {
  const pidsOf = (stdout: string): number[] => stdout.trim().split(/\s+/).map(Number);

  test('children and grandchildren end with it, also those that ignore SIGINT', async () => {
    const { stdout } = await run(command('fork', { duration_ms: 2000 }));
    const pids = pidsOf(stdout);
    expect(pids).toHaveLength(3);
    // Who was killed lets go of its output a moment before it has ended.
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
  });

  test('a child that it leaves behind is ended at once and holds nobody up', async () => {
    const finished = await run(command('orphan'));
    // Not by the deadline, for which whoever waits for the end of stdout would wait.
    expect(finished.stopped_by).toBe('exit');
    await expect.poll(() => pidsOf(finished.stdout).filter(isRunning)).toEqual([]);
  });

  test('killAllGroups leaves nothing of what is running', async () => {
    const fork = await begun(command('fork'), /(?:\d+\s+){3}/);
    const both = [fork, await begun(command('ignore-int'), /ready/)];
    killAllGroups();
    const ended = await Promise.all(both.map((each) => each.finished));
    expect(ended.map((each) => each.signal)).toEqual(['SIGKILL', 'SIGKILL']);
    await expect.poll(() => pidsOf(fork.said()).filter(isRunning)).toEqual([]);
  });

  test('killAllGroups lets a program that has something to put back do so', async () => {
    const running = await begun(command('put-back', { parentDeathSignal: 'TERM' }), /set/);
    killAllGroups();
    expect(await running.finished).toMatchObject({ exit_code: 0 });
    expect(running.said()).toBe('set\nput back\n');
  });
});

describe('output', () => {
  test('a program that never stops printing is stopped at the cap', async () => {
    const finished = await run(command('flood', { output_bytes: 100_000 }));
    expect(finished.stopped_by).toBe('output_limit');
    expect(Buffer.byteLength(finished.stdout)).toBe(100_000);
    // The first signal; SIGKILL comes later.
    expect(finished.signal).toBe('SIGINT');
  });

  test('output that crosses the cap is cut even when the program has ended by then', async () => {
    const finished = await run(command('half-line', { output_bytes: 12 }));
    expect(finished).toMatchObject({ stdout: 'whole line\nh', stopped_by: 'output_limit' });
  });

  test('output of exactly the cap is whole and not called cut', async () => {
    const finished = await run(command('noisy', { output_bytes: 1_048_576 }));
    expect(finished).toMatchObject({ stopped_by: 'exit', exit_code: 0 });
    expect(finished.stdout).toBe('o'.repeat(1_048_576));
  });

  test('the cap counts bytes and never leaves half a character', async () => {
    const finished = await run(command('slow-euro', { output_bytes: 4 }));
    expect(finished).toMatchObject({ stdout: '€', stopped_by: 'output_limit' });
  });

  test('of stderr the first 4 KiB are kept', async () => {
    const { stderr } = await run(command('noisy'));
    expect(stderr).toBe('e'.repeat(4096));
  });

  test('half a line at the end arrives', async () => {
    const { stdout } = await run(command('half-line'));
    expect(stdout).toBe('whole line\nhalf a li');
  });

  test('characters cut by a pipe arrive whole, in pieces as they come', async () => {
    const pieces: string[] = [];
    const finished = await run(command('slow-euro'), { onStdout: (text) => pieces.push(text) });
    expect(pieces).toEqual(['€', '€']);
    expect(finished.stdout).toBe('');
  });

  test('a stream is stopped at the cap as well', async () => {
    let bytes = 0;
    const finished = await run(command('flood', { output_bytes: 200_000 }), {
      onStdout: (text) => {
        bytes += text.length;
      },
    });
    expect(finished.stopped_by).toBe('output_limit');
    // The piece that crosses the cap is still delivered: a pipe holds 64 KiB.
    expect(bytes).toBeLessThanOrEqual(200_000 + 65_536);
  });
});

describe('failures to start', () => {
  test('an argument list that the kernel refuses is EXECUTION_FAILED', async () => {
    const tooLong = command('arguments', { args: ['x'.repeat(3_000_000)] });
    await expect(run(tooLong)).rejects.toMatchObject({
      code: 'EXECUTION_FAILED',
      message: expect.stringContaining('E2BIG'),
    });
  });

  test('a NUL byte in an argument is refused before anything starts', async () => {
    await expect(run(command('arguments', { args: ['a\0b'] }))).rejects.toThrow(/null/);
  });

  test('a missing program is TOOL_NOT_FOUND and says what to install', async () => {
    await expect(run(command('not-there'))).rejects.toMatchObject({
      code: 'TOOL_NOT_FOUND',
      suggestion: expect.stringMatching(/^sudo (apt-get|dnf) install tracewright-test$/),
    });
  });
});
