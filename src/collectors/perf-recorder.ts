import type { Command } from '../../allowlist/command.ts';
import { ParseError } from '../../parsers/parsed.ts';
import {
  type PerfDataCounter,
  type PerfDataCounts,
  perfDataCounter,
} from '../../parsers/perf-data/count.ts';
import {
  type PerfAttr,
  parsePerfHeader,
  perf_header_bytes,
} from '../../parsers/perf-data/file-header.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Finished, Running } from '../exec/start.ts';

/** A recording under way. */
export type Recorder = Readonly<{
  pid: number;
  /** When perf was told to begin, on the monotonic clock. */
  enabled_ms: number;
  finished: Promise<Finished>;
  /** What perf really opened; null where its file does not say. */
  opened: PerfAttr | null;
  stop(): void;
  /** What is in the file: while perf runs, after it was asked to write out all it has. */
  counts(): Promise<PerfDataCounts>;
}>;

export type Started = Readonly<{ recorder: Recorder } | { refused: Finished }>;

const answer_ms = 500;
/** On a host with 100,000 processes perf first writes down the maps of each. */
const start_ms = 30_000;
const piece_bytes = 1024 * 1024;

export const no_counts: PerfDataCounts = { samples: 0, lost: 0, throttled: 0, records: 0 };

/**
 * Starts perf record into a file of ours and switches its events on; returns when perf says that
 * they are. Where perf ends before that, how it ended. CANCELED and TIMEOUT leave nothing behind.
 */
export async function startRecorder(
  ctx: Context,
  command: Command,
  file: string,
  call: Call,
): Promise<Started> {
  ctx.scratch.remove(file);
  const running = await ctx.start(command);
  const control = controlChannel(ctx, running);
  const cancel = (): void => running.stop();
  call.signal.addEventListener('abort', cancel, { once: true });
  const enabled_ms = ctx.monotonicMs();
  const answer = await control.ask('enable', start_ms);
  call.signal.removeEventListener('abort', cancel);
  if (call.signal.aborted || answer === 'late') {
    running.stop();
    await running.finished;
    ctx.scratch.remove(file);
    call.signal.throwIfAborted();
    throw notStarted();
  }
  if (answer === 'ended') return { refused: await running.finished };
  const opened = await openedEvent(ctx, file);
  return { recorder: { ...recorderOf(ctx, running, control, file), opened, enabled_ms } };
}

type Control = ReturnType<typeof controlChannel>;

function recorderOf(
  ctx: Context,
  running: Running,
  control: Control,
  file: string,
): Omit<Recorder, 'enabled_ms' | 'opened'> {
  const count = fileCounts(ctx, file);
  let ended = false;
  const finished = running.finished.finally(() => {
    ended = true;
  });
  let current: Promise<PerfDataCounts> | null = null;
  async function refresh(): Promise<PerfDataCounts> {
    // perf empties its buffers only when one is half full, or when somebody speaks to it.
    if (!ended) await control.ask('ping', answer_ms);
    return await count();
  }
  return {
    pid: running.pid,
    finished,
    stop: () => running.stop(),
    counts() {
      current ??= refresh().finally(() => {
        current = null;
      });
      return current;
    },
  };
}

/** Commands through pipe 3, one at a time; perf writes "ack" into pipe 4. */
function controlChannel(ctx: Context, running: Running) {
  const requests = running.control(3);
  let onAnswer = (): void => {};
  running.control(4).on('data', () => onAnswer());
  for (const fd of [3, 4]) running.control(fd).on('error', () => {});
  return {
    async ask(command: 'enable' | 'ping', timeout_ms: number): Promise<'done' | 'late' | 'ended'> {
      const timer = new AbortController();
      const answered = new Promise<'done'>((resolve) => {
        onAnswer = () => resolve('done');
      });
      const late = ctx.sleep(timeout_ms, timer.signal).then(
        () => 'late' as const,
        () => 'late' as const,
      );
      const ended = running.finished.then(() => 'ended' as const);
      requests.write(`${command}\n`);
      const outcome = await Promise.race([answered, late, ended]);
      timer.abort();
      return outcome;
    },
  };
}

const readHeader = async (ctx: Context, file: string) =>
  parsePerfHeader(await ctx.scratch.readFrom(file, 0, perf_header_bytes));

const openedEvent = async (ctx: Context, file: string): Promise<PerfAttr | null> =>
  (await readHeader(ctx, file))?.event ?? null;

/** Counts what was added to the file since the last time. */
function fileCounts(ctx: Context, file: string): () => Promise<PerfDataCounts> {
  let counter: PerfDataCounter | null = null;
  let known = no_counts;

  async function readOn(): Promise<void> {
    const header = await readHeader(ctx, file);
    if (header === null) return;
    const end = header.data_bytes > 0 ? header.data_bytes : Number.POSITIVE_INFINITY;
    // perf writes its closing sections before it says where the data ends: those are no records.
    if (counter === null || counter.bytes() > end) counter = perfDataCounter(header.little_endian);
    for (;;) {
      const at = counter.bytes();
      const wanted = Math.min(piece_bytes, end - at);
      const piece = await ctx.scratch.readFrom(file, header.data_offset + at, wanted);
      if (piece.length === 0) break;
      counter.push(piece);
      if (piece.length === piece_bytes) await ctx.sleep(0);
    }
    known = counter.counts();
  }

  return async () => {
    try {
      await readOn();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      counter = null;
    }
    return known;
  };
}

const notStarted = (): TracewrightError =>
  new TracewrightError(
    'TIMEOUT',
    `perf did not start to sample within ${start_ms / 1000} s.`,
    'Profile one process (pid) instead of the whole host, or try again when it is less busy.',
  );
