import type { Readable, Writable } from 'node:stream';
import type { Command } from '../../allowlist/command.ts';
import { type Ground, requestedCommand } from '../../allowlist/requests.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import type { Finished, Running, StartOptions } from '../exec/start.ts';
import { rateLimit } from '../transport/rate-limit.ts';
import { frameWriter } from './frame-writer.ts';
import { protocol_version } from './frames.ts';
import { lineReader } from './lines.ts';
import { type Message, parseMessage } from './messages.ts';
import type { OutputFiles } from './output-files.ts';
import { outputWriters } from './output-writers.ts';

/** What a helper works with. */
export type Bench = Readonly<{
  ground: Ground;
  files: OutputFiles;
  start(command: Command, options: StartOptions): Promise<Running>;
  /** Does the work of one request: what it starts, and that it was refused, is recorded as of it. */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** Ends whatever was started, at once. */
  endAll(): void;
  version: string;
}>;

type Run = { running: Running | null; readonly canceled: AbortController };

const most_line_bytes = 256 * 1024;
const most_runs = 16;
/** Pieces of files that are asked for and not yet on their way; a client asks for one at a time. */
const most_unread = 16;
/** Bytes that perf has not taken from its control channel. */
const most_told_bytes = 4096;
/** Each of them, and each refusal, is a line of the audit: nobody may push out what it holds in a minute. */
const starts_per_second = 50;
const starts_at_once = 100;

/**
 * Serves one client: reads requests, makes their commands from the allowlist, and sends back what
 * they print. Resolves when the client has gone, whichever way, and everything it started is told to
 * end. A client that sends anything else than requests is left at once.
 */
export async function serveSession(input: Readable, output: Writable, bench: Bench): Promise<void> {
  const runs = new Map<number, Run>();
  const frames = frameWriter(output);
  const admit = rateLimit(starts_per_second, starts_at_once, () => performance.now());
  /** One after the other, each when there is room for the last. */
  let reading = Promise.resolve();
  let unread = 0;
  const writers = outputWriters(bench.files);

  const answer = (message: Message): void => {
    if (message.op === 'start') void begin(message);
    else if (message.op === 'remove') writers.remove(message.file);
    else if (message.op === 'read') {
      unread += 1;
      reading = reading.then(() => read(message));
    } else tryToControl(message, runs.get(message.run));
  };

  async function begin({ run, maker, parameters }: Message & { op: 'start' }): Promise<void> {
    // Its client does not count well; the first one goes on.
    if (runs.has(run)) return;
    const current: Run = { running: null, canceled: new AbortController() };
    try {
      if (runs.size >= most_runs) throw tooMany();
      if (!admit()) throw tooFast();
      runs.set(run, current);
      await bench.within(async () => {
        const command = requestedCommand(maker, parameters, bench.ground);
        const { output } = parameters;
        const file = typeof output === 'string' ? output : null;
        await writers.alone(file, () => follow(run, current, command));
      });
    } catch (thrown) {
      runs.delete(run);
      current.canceled.abort();
      const { code, message, suggestion } = toTracewrightError(thrown);
      void frames.json('refused', run, { code, message, suggestion });
    }
  }

  async function follow(run: number, current: Run, command: Command): Promise<void> {
    const running = await bench.start(command, {
      signal: current.canceled.signal,
      onStdoutBytes: (bytes) => frames.bytes('stdout', run, bytes),
      onStderr: (text) => frames.bytes('stderr', run, Buffer.from(text)),
    });
    current.running = running;
    if (command.controlPipes > 0) {
      running.control(3).on('error', () => {});
      const acks = running.control(4).on('error', () => {});
      acks.on('data', (bytes: Buffer) => void frames.bytes('control', run, bytes));
    }
    void frames.json('started', run, { pid: running.pid });
    const finished: Finished = await running.finished;
    runs.delete(run);
    void frames.json('finished', run, { ...finished, stdout: '' });
  }

  async function read({ run, file, offset, bytes }: Message & { op: 'read' }): Promise<void> {
    const nothing = new Uint8Array();
    const piece = await bench.files.readFrom(file, offset, bytes).catch(() => nothing);
    await frames.bytes('data', run, piece);
    unread -= 1;
  }

  void frames.json('hello', 0, { protocol: protocol_version, version: bench.version });
  const take = lineReader(most_line_bytes, (line) => {
    const message = parseMessage(line);
    if (message === null) throw new Error('this is no request');
    answer(message);
  });
  await new Promise<void>((resolve) => {
    let isLeft = false;
    const leave = (): void => {
      if (isLeft) return;
      isLeft = true;
      frames.end();
      for (const { canceled } of runs.values()) canceled.abort();
      bench.endAll();
      resolve();
    };
    input.on('data', (bytes: Buffer) => {
      try {
        take(bytes);
      } catch {
        input.destroy();
        leave();
      }
      // Whoever takes no answers is asked for no more questions.
      const room = frames.room();
      const read = unread > most_unread ? reading : undefined;
      if (!room && !read) return;
      input.pause();
      void Promise.all([room, read]).then(() => input.resume());
    });
    for (const event of ['end', 'close', 'error']) input.on(event, leave);
    for (const event of ['close', 'error']) output.on(event, leave);
  });
}

/** A program may have ended at this very moment: then there is nobody to tell. */
function tryToControl(message: Message, run: Run | undefined): void {
  try {
    control(message, run);
  } catch {
    run?.canceled.abort();
  }
}

function control(message: Message, run: Run | undefined): void {
  if (!run) return;
  if (message.op === 'cancel') run.canceled.abort();
  if (message.op === 'stop') run.running?.stop();
  if (message.op === 'printMaps') run.running?.printMaps(message.signal);
  if (message.op !== 'tell') return;
  const told = run.running?.control(3);
  if (told && told.writableLength < most_told_bytes) told.write(`${message.word}\n`);
}

const tooMany = (): TracewrightError =>
  new TracewrightError(
    'PROFILER_BUSY',
    `The helper runs ${most_runs} programs of this server already.`,
    'Wait until some of them have ended.',
  );

const tooFast = (): TracewrightError =>
  new TracewrightError(
    'PROFILER_BUSY',
    `The helper starts at most ${starts_per_second} programs a second.`,
    'Wait a second.',
  );
