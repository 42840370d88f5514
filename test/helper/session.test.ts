import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Command } from '../../allowlist/command.ts';
import { kernelMessages } from '../../allowlist/dmesg.ts';
import { perfRecordEvents, perfScriptEvents } from '../../allowlist/perf-events.ts';
import { type TracewrightError, toTracewrightError } from '../../src/errors.ts';
import { killAllGroups } from '../../src/exec/live-groups.ts';
import { scratchSpace } from '../../src/exec/scratch.ts';
import { start, toTheEnd } from '../../src/exec/start.ts';
import { type HelperClient, helperClient } from '../../src/helper/client.ts';
import { encodeFrame, type Frame, frameReader } from '../../src/helper/frames.ts';
import { outputFiles } from '../../src/helper/output-files.ts';
import type { HelperPipe } from '../../src/helper/pipe.ts';
import { serveSession } from '../../src/helper/session.ts';
import { isRunning, programsForTest } from '../exec/commands.ts';
import { groundForTest } from './privileged-commands.ts';

const programs = programsForTest();
afterAll(() => {
  killAllGroups();
  programs.remove();
});

/** A session in this process whose client is on the other side of two pipes; `runs` stands for all commands. */
function session(runs: Command) {
  const [requests, answers] = [new PassThrough(), new PassThrough()];
  const scratch = scratchSpace();
  const files = outputFiles(scratch);
  const started: Command[] = [];
  const pids: number[] = [];
  const refused: TracewrightError[] = [];
  const over = serveSession(requests, answers, {
    ground: { ...groundForTest().ground, output: files.path },
    files,
    async start(command, options) {
      started.push(command);
      const running = await start(runs, options);
      pids.push(running.pid);
      return running;
    },
    async within(work) {
      return await work().catch((thrown: unknown) => {
        refused.push(toTracewrightError(thrown));
        throw thrown;
      });
    },
    endAll: killAllGroups,
    version: '0.0.0',
  });
  const pipe: HelperPipe = {
    input: requests,
    output: answers,
    keepAlive: () => {},
    complaint: () => Promise.resolve('test'),
    close: () => requests.end(),
  };
  return { requests, answers, scratch, started, pids, refused, over, pipe };
}

function clientOf(runs: Command): ReturnType<typeof session> & { client: HelperClient } {
  const own = session(runs);
  return { ...own, client: helperClient(() => own.pipe) };
}

const asked = kernelMessages();
const recorded = (output: string): Command =>
  perfRecordEvents({
    events: ['sched:sched_switch'],
    stacks: false,
    duration_ms: 1000,
    output: `/somewhere/of/the/client/${output}`,
    max_bytes: 2 ** 20,
  });

test('output, errors, exit code and process id come back as they are', async () => {
  const { client, pids } = clientOf(programs.command('exit-3'));
  const running = await client.start(asked);
  expect(running.pid).toBe(pids[0]);
  expect(await running.finished).toMatchObject({
    stdout: 'partial\n',
    stderr: 'cannot open counter\n',
    exit_code: 3,
    signal: null,
    stopped_by: 'exit',
  });
  client.close();
});

test('a character that comes in pieces is put together', async () => {
  const { client } = clientOf(programs.command('slow-euro'));
  let text = '';
  const onStdout = (piece: string): void => {
    text += piece;
  };
  await (await client.start(asked, { onStdout })).finished;
  expect(text).toBe('€€');
  client.close();
});

test('limits hold in the helper, and it says which one', async () => {
  const { client } = clientOf(programs.command('forever', { duration_ms: 300 }));
  const finished = await toTheEnd(client.start(asked));
  expect(finished).toMatchObject({ stdout: 'ready\nsummary\n', stopped_by: 'deadline' });
  client.close();
});

test('stop lets a program print what it has', async () => {
  const { client } = clientOf(programs.command('forever'));
  const running = await client.start(asked, { onStdout: () => running?.stop() });
  expect(await running.finished).toMatchObject({ stopped_by: 'caller', exit_code: 0 });
  client.close();
});

test('a request that is canceled ends its program and no other', async () => {
  const { client, pids } = clientOf(programs.command('forever'));
  const quit = new AbortController();
  const canceled = toTheEnd(client.start(asked, { signal: quit.signal }));
  const other = await client.start(asked);
  quit.abort();
  await expect(canceled).rejects.toMatchObject({ code: 'CANCELED' });
  const [first = 0, second = 0] = pids;
  await expect.poll(() => isRunning(first), { timeout: 10_000 }).toBe(false);
  expect(isRunning(second)).toBe(true);
  other.stop();
  await other.finished;
  client.close();
});

test('words for the control channel pass, and no other words', async () => {
  const { client } = clientOf(programs.command('control', { controlPipes: 2 }));
  const running = await client.start(recorded('x.data'));
  let acks = '';
  running.control(4).on('data', (bytes: Buffer) => {
    acks += bytes.toString();
  });
  for (const word of ['enable', 'stop', 'snapshot', 'ping']) running.control(3).write(`${word}\n`);
  await expect.poll(() => acks, { timeout: 10_000 }).toBe('ack enable\nack ping\n');
  running.stop();
  await running.finished;
  client.close();
});

test('files that programs write are read and removed by name, in the folder of the helper', async () => {
  const { client, scratch, started } = clientOf(programs.command('exit-3', { controlPipes: 2 }));
  await toTheEnd(client.start(recorded('x.data')));
  const file = scratch.path('out-x.data');
  expect(started[0]?.args.at(-1)).toBe(file);
  writeFileSync(file, 'x'.repeat(3_000_000));
  expect(client.holds('x.data')).toBe(true);
  expect(await client.readFrom('x.data', 1, 2_500_000)).toHaveLength(2_500_000);
  expect(await client.readFrom('x.data', 2_999_990, 100)).toHaveLength(10);
  await toTheEnd(client.start(perfScriptEvents('/another/folder/x.data', false)));
  expect(started[1]?.args).toContain(file);
  client.remove('x.data');
  await expect.poll(() => existsSync(file), { timeout: 10_000 }).toBe(false);
  expect(client.holds('x.data')).toBe(false);
  client.close();
});

test('a file has one writer at a time, and is gone for good when it is removed under one', async () => {
  const { client, scratch, started } = clientOf(programs.command('forever', { controlPipes: 2 }));
  const file = scratch.path('out-x.data');
  const first = await client.start(recorded('x.data'));
  const second = client.start(recorded('x.data'));
  const other = await client.start(recorded('y.data'));
  // The second one was asked for before the other, and is not there yet.
  expect(started.map(({ args }) => args.at(-1))).toEqual([file, scratch.path('out-y.data')]);
  writeFileSync(file, 'x');
  client.remove('x.data');
  await client.readFrom('x.data', 0, 1);
  expect(existsSync(file)).toBe(true);
  first.stop();
  const last = await second;
  expect(existsSync(file)).toBe(false);
  for (const each of [last, other]) each.stop();
  await Promise.all([last.finished, other.finished]);
  client.close();
});

test('what was recorded before under a name is not kept beside the new one', async () => {
  const { client, scratch } = clientOf(programs.command('exit-3', { controlPipes: 2 }));
  const file = scratch.path('out-x.data');
  for (const path of [file, `${file}.old`]) writeFileSync(path, 'x');
  await toTheEnd(client.start(recorded('x.data')));
  expect([file, `${file}.old`].filter(existsSync)).toEqual([]);
  client.close();
});

test('whoever asks for more pieces than it takes is asked for no more', async () => {
  const { requests, answers, scratch, over } = session(programs.command('exit-3'));
  writeFileSync(scratch.path('out-x.data'), Buffer.alloc(1024 * 1024));
  const line = { op: 'read', run: 1, file: 'x.data', offset: 0, bytes: 1024 * 1024 };
  const lines = `${JSON.stringify(line)}\n`.repeat(100);
  for (let chunk = 0; chunk < 50; chunk++) requests.write(lines);
  // A client that takes an answer now and then gets one for it, not the right to ask for more.
  for (let taken = 0; taken < 5; taken++) {
    await expect.poll(() => answers.read() !== null, { timeout: 20_000 }).toBe(true);
  }
  expect(requests.writableLength + requests.readableLength).toBeGreaterThan(lines.length * 40);
  requests.destroy();
  await over;
});

test('what is refused says so, and the session goes on', async () => {
  const { client, refused } = clientOf(programs.command('exit-3'));
  const wrong = recorded('X Y.data');
  await expect(client.start(wrong)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  // Where an audit hears of it.
  expect(refused).toMatchObject([{ code: 'NOT_ALLOWED' }]);
  expect(await toTheEnd(client.start(asked))).toMatchObject({ exit_code: 3 });
  client.close();
});

test('the seventeenth program at a time is refused, the ninth file too', async () => {
  const { client } = clientOf(programs.command('forever'));
  const running = await Promise.all(Array.from({ length: 16 }, () => client.start(asked)));
  await expect(client.start(asked)).rejects.toMatchObject({ code: 'PROFILER_BUSY' });
  for (const each of running) each.stop();
  await Promise.all(running.map(({ finished }) => finished));
  const files = clientOf(programs.command('exit-3', { controlPipes: 2 })).client;
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) await toTheEnd(files.start(recorded(`f${n}.data`)));
  await expect(files.start(recorded('f9.data'))).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  client.close();
  files.close();
});

test('whoever asks for more than a hundred at once waits, and fills no audit', async () => {
  const { requests, refused, answers, over } = session(programs.command('exit-3'));
  const told: string[] = [];
  const read = frameReader(({ kind, payload }) => kind === 'refused' && told.push(`${payload}`));
  answers.on('data', read);
  const lines = Array.from({ length: 400 }, (_, index) =>
    JSON.stringify({ op: 'start', run: index + 1, maker: 'none', parameters: {} }),
  );
  requests.write(`${lines.join('\n')}\n`);
  await expect.poll(() => told.length, { timeout: 20_000 }).toBe(400);
  const busy = told.filter((each) => each.includes('PROFILER_BUSY'));
  expect(busy.length).toBeGreaterThan(0);
  expect(refused).toHaveLength(400 - busy.length);
  requests.end();
  await over;
});

test('a client that goes takes everything with it', async () => {
  const { client, pids, requests, over } = clientOf(programs.command('ignore-int'));
  await client.start(asked);
  requests.end();
  await over;
  await expect.poll(() => isRunning(pids[0] ?? 0), { timeout: 10_000 }).toBe(false);
});

test.each([
  ['no request', 'GET / HTTP/1.1\n'],
  ['an unknown word', '{"op":"exec","run":1}\n'],
  ['a command line', '{"op":"start","run":1,"maker":"perfScript","args":["-s","x"]}\n'],
  ['a line without end', 'x'.repeat(300_000)],
])('whoever sends %s is left', async (_what, text) => {
  const { requests, over, started } = session(programs.command('forever'));
  requests.write(text);
  await over;
  expect(requests.destroyed).toBe(true);
  expect(started).toHaveLength(0);
});

test('a client that takes nothing makes the program wait', async () => {
  const flood = programs.command('flood', { output_bytes: 2 ** 40, duration_ms: 60_000 });
  const { requests, answers, pids, over } = session(flood);
  const line = { op: 'start', run: 1, maker: 'kernelMessages', parameters: {} };
  requests.write(`${JSON.stringify(line)}\n`);
  const written = (): string => {
    const file = `/proc/${pids[0] ?? 0}/io`;
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  await expect.poll(() => answers.readableLength, { timeout: 20_000 }).toBeGreaterThan(0);
  let before = '';
  // What it wrote stays what it was: nobody empties its pipe.
  const stands = (): boolean => {
    const now = written();
    const same = now !== '' && now === before;
    before = now;
    return same;
  };
  await expect.poll(stands, { timeout: 20_000, interval: 500 }).toBe(true);
  expect(isRunning(pids[0] ?? 0)).toBe(true);
  expect(answers.writableLength + answers.readableLength).toBeLessThan(2 * 1024 * 1024);
  requests.end();
  await over;
});

test('a helper that is lost is lost with what it ran', async () => {
  const { client, answers } = clientOf(programs.command('forever'));
  const running = await client.start(asked);
  answers.destroy();
  expect(await running.finished).toMatchObject({ signal: 'SIGKILL', exit_code: null });
  killAllGroups();
});

test('the first program that a helper runs goes on for longer than an idle helper does', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { client, pids } = clientOf(programs.command('forever', { duration_ms: 600_000 }));
  const running = await client.start(asked);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(isRunning(pids[0] ?? 0)).toBe(true);
  running.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  await running.finished;
  client.close();
});

test('whoever is no helper of this version cannot be reached', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const client = helperClient(() => ({
    input,
    output,
    keepAlive: () => {},
    complaint: () => Promise.resolve('sudo: a password is required'),
    close: () => input.end(),
  }));
  const attempt = client.start(asked);
  output.write(encodeFrame('hello', 0, Buffer.from('{"protocol":99}')));
  await expect(attempt).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  output.end();
  await expect(client.start(asked)).rejects.toThrow('a password is required');
});

test('frames survive any division into pieces', () => {
  const sent = [0, 1, 9, 5000].map((length, id) =>
    encodeFrame('stdout', id, Buffer.alloc(length, 'x')),
  );
  const bytes = Buffer.concat(sent);
  for (const size of [1, 7, 9, 10, 4096, bytes.length]) {
    const got: Frame[] = [];
    const read = frameReader(({ payload, ...frame }) => {
      got.push({ ...frame, payload: Buffer.from(payload) });
    });
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    const again = got.map(({ kind, id, payload }) => encodeFrame(kind, id, payload));
    expect(Buffer.concat(again).equals(bytes)).toBe(true);
  }
  expect(() => frameReader(() => {})(Buffer.from('sudo: a password is required'))).toThrow();
});

test('a way that cannot be gone now is tried again the next time', async () => {
  const own = session(programs.command('exit-3'));
  let attempts = 0;
  const client = helperClient(() => {
    attempts += 1;
    if (attempts === 1) throw new Error('nothing is installed');
    return own.pipe;
  });
  await expect(client.start(asked)).rejects.toThrow('nothing is installed');
  expect(await toTheEnd(client.start(asked))).toMatchObject({ exit_code: 3 });
  expect(await toTheEnd(client.start(asked))).toMatchObject({ exit_code: 3 });
  expect(attempts).toBe(2);
  client.close();
});
