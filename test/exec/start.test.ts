import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { killAllGroups } from '../../src/exec/live-groups.ts';
import { run, start } from '../../src/exec/start.ts';
import { isRunning, programsForTest } from './commands.ts';

const programs = programsForTest();
const { command } = programs;
afterAll(programs.remove);

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
    const finished = await run(command('forever', { duration_ms: 300 }));
    expect(finished).toMatchObject({
      stdout: 'ready\nsummary\n',
      exit_code: 0,
      stopped_by: 'deadline',
    });
    expect(finished.duration_ms).toBeGreaterThanOrEqual(300);
    expect(finished.duration_ms).toBeLessThan(1500);
  });

  test('a program that ignores SIGINT dies by SIGKILL after the grace time', async () => {
    const finished = await run(command('ignore-int', { duration_ms: 200 }));
    expect(finished).toMatchObject({ stdout: 'ready\n', signal: 'SIGKILL', exit_code: null });
    expect(finished.duration_ms).toBeGreaterThanOrEqual(2200);
    expect(finished.duration_ms).toBeLessThan(4000);
  });

  test('stop() asks once and the program can still print', async () => {
    const running = await start(command('forever'));
    await delay(200);
    running.stop();
    running.stop();
    expect(await running.finished).toMatchObject({
      stdout: 'ready\nsummary\n',
      stopped_by: 'caller',
    });
    running.stop();
  });

  test('stop() uses the stop signal of the command', async () => {
    const running = await start(command('forever', { stopSignal: 'SIGTERM' }));
    await delay(200);
    running.stop();
    expect(await running.finished).toMatchObject({ stdout: 'ready\n', signal: 'SIGTERM' });
  });

  test('a canceled request stops the program and rejects with CANCELED', async () => {
    const canceling = new AbortController();
    const running = await start(command('forever'), { signal: canceling.signal });
    setTimeout(() => canceling.abort(), 200);
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
    const { stdout } = await run(command('fork', { duration_ms: 400 }));
    const pids = pidsOf(stdout);
    expect(pids).toHaveLength(3);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  test('a child that it leaves behind is ended at once and holds nobody up', async () => {
    const finished = await run(command('orphan'));
    expect(finished.stopped_by).toBe('exit');
    expect(finished.duration_ms).toBeLessThan(1000);
    await delay(50);
    expect(pidsOf(finished.stdout).filter(isRunning)).toEqual([]);
  });

  test('killAllGroups leaves nothing of what is running', async () => {
    const both = [await start(command('fork')), await start(command('ignore-int'))];
    await delay(300);
    killAllGroups();
    const ended = await Promise.all(both.map((each) => each.finished));
    expect(ended.map((each) => each.signal)).toEqual(['SIGKILL', 'SIGKILL']);
    await delay(50);
    expect(pidsOf(ended[0]?.stdout ?? '').filter(isRunning)).toEqual([]);
  });

  test('killAllGroups lets a program that has something to put back do so', async () => {
    const running = await start(command('put-back', { parentDeathSignal: 'TERM' }));
    await delay(200);
    killAllGroups();
    expect(await running.finished).toMatchObject({ stdout: 'set\nput back\n', exit_code: 0 });
  });
});

describe('output', () => {
  test('a program that never stops printing is stopped at the cap', async () => {
    const finished = await run(command('flood', { output_bytes: 100_000 }));
    expect(finished.stopped_by).toBe('output_limit');
    expect(Buffer.byteLength(finished.stdout)).toBe(100_000);
    expect(finished.duration_ms).toBeLessThan(1000);
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
