import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { EventType } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { startTracer, type Tracer } from './bpftrace-tracer.ts';
import { bpftraceHas } from './bpftrace-version.ts';
import { listCapabilities } from './event-capabilities.ts';
import { type EventWish, eventProgram } from './event-program.ts';
import { liveTasks } from './live-tasks.ts';

/** What the kernel program keeps and what it leaves out. */
export type EventFilter = Readonly<{
  types: readonly EventType[];
  /** Thread id. */
  pid: number | null;
  /** Thread group: the id of a process. */
  tgid: number | null;
  /** Beginning of the name of the task, at most 15 bytes. */
  comm: string | null;
  cpu: number | null;
  /** Of sched_switch: how long the task that comes in had waited since its wakeup. */
  min_latency_us: number | null;
  /** One task in N, with all that happens to it; 1 is all. */
  sample: number;
  /** Name of the function for type kprobe. */
  kprobe: string | null;
}>;

/** A running program. Its output goes to `onBytes` of startEventTracer as it comes. */
export type EventTracer = Readonly<{
  pid: number;
  /** Probes, as bpftrace names them. */
  attached: readonly string[];
  /** Lines of the output that are no records: whoever splits it passes them on. */
  control(line: string): void;
  /** Records that the program has printed, as it told last; exact after `stop`. */
  seen(): number;
  /** Records that bpftrace says it could not take from the kernel in time. */
  lost(): number;
  /** Lets no more events pass, takes in what has passed, and ends the program. */
  stop(): Promise<void>;
  ended(): boolean;
  finished: Promise<void>;
}>;

/** Whether this host can produce a type of event; if not, why and what changes that. */
export type EventCapability = Readonly<{
  type: EventType;
  available: boolean;
  /** What tells of it. */
  source: string;
  reason: string | null;
  fix: string | null;
}>;

/** All types in their order. Starts no tracer. */
export const eventCapabilities = (ctx: Context, call: Call): Promise<readonly EventCapability[]> =>
  listCapabilities(ctx, call);

/** Nobody is to run out of it: the ring of the server bounds what is kept. */
const any_amount_bytes = 2 ** 50;
const default_duration_ms = 3_600_000;

/**
 * Starts the program of a filter and returns once its probes are attached. Its output has a record
 * per line (see parsers/stream/stream.ts); lines that begin with `@`, `#` or a capital letter are
 * for `control`. EXECUTION_FAILED with what bpftrace said.
 */
export async function startEventTracer(
  ctx: Context,
  filter: EventWish & Readonly<{ duration_ms?: number }>,
  onBytes: (bytes: Buffer) => void,
  call: Call,
): Promise<EventTracer> {
  const program = await eventProgram(ctx, filter, call);
  const command = bpftraceScript(
    {
      program: program.program,
      parameters: program.parameters,
      duration_ms: filter.duration_ms ?? default_duration_ms,
      format: 'text',
      buffering: 'full',
      quiet: true,
      user_symbols: false,
      output_bytes: any_amount_bytes,
      map_keys: mapKeys(ctx, program.cpus),
      buffer_pages: await bufferPages(ctx, program.cpus),
      goes_before: true,
    },
    ctx,
  );
  const watched = watch(ctx, onBytes);
  const tracer = await startTracer(
    ctx,
    command,
    { onStdoutBytes: watched.push, onStderr: watched.complaint },
    watched.attached,
    call,
  );
  return {
    pid: tracer.pid,
    attached: program.probes,
    control: watched.control,
    seen: watched.seen,
    lost: watched.lost,
    async stop() {
      if (!tracer.ended()) await close(ctx, tracer, watched);
      await tracer.stop();
    },
    ended: tracer.ended,
    finished: tracer.finished,
  };
}

/** The longest that reading what has passed may take. bpftrace reads all of kallsyms for the first name. */
const drain_ms = 5000;
const poll_ms = 20;

/** bpftrace throws away what it has not read when it is told to end. */
async function close(ctx: Context, tracer: Tracer, watched: Watched): Promise<void> {
  const until_ms = ctx.monotonicMs() + drain_ms;
  watched.listen();
  tracer.printMaps('SIGWINCH');
  while (!tracer.ended() && !watched.isQuiet() && ctx.monotonicMs() < until_ms) {
    await ctx.sleep(poll_ms);
  }
}

type Watched = ReturnType<typeof watch>;

/** Longer than the program lets a record wait: two looks at the buffers of silent CPUs. */
const quiet_ms = 250;
/** Counts that come without a record between them. */
const quiet_counts = 3;

/** Looks at what passes: whether the program is attached, how much it printed, whether more comes. */
function watch(ctx: Context, onBytes: (bytes: Buffer) => void) {
  let beginning: string | null = '';
  let seen = 0;
  let lost = 0;
  let record_ms = ctx.monotonicMs();
  let counts = 0;

  /** 0.17 writes it to stdout, others to stderr. */
  function complaint(text: string): void {
    for (const [, events] of text.matchAll(/\bLost (\d+) events?\b/g)) lost += Number(events);
  }

  return {
    push(bytes: Buffer): void {
      if (beginning !== null) beginning = withoutAttached(beginning + bytes.toString('latin1'));
      if (!isControl(bytes)) {
        record_ms = ctx.monotonicMs();
        counts = 0;
      }
      onBytes(bytes);
    },
    attached: (): boolean => beginning === null,
    control(line: string): void {
      complaint(line);
      const count = /^@seen: (\d+)$/.exec(line)?.[1];
      if (count === undefined) return;
      counts += 1;
      seen = Number(count);
    },
    complaint,
    seen: () => seen,
    lost: () => lost,
    /** What was quiet before says nothing: a record may be on its way since. */
    listen(): void {
      record_ms = ctx.monotonicMs();
      counts = 0;
    },
    isQuiet: () => counts >= quiet_counts && ctx.monotonicMs() - record_ms >= quiet_ms,
  };
}

const at_sign = 64;
const longest_control_bytes = 100;

/** The program hands on what it has at each count: without a record before it, the count is alone. */
const isControl = (bytes: Buffer): boolean =>
  bytes[0] === at_sign && bytes.length <= longest_control_bytes;

/** Null once the program has told that its probes are attached; before that, what may be half of it. */
const withoutAttached = (text: string): string | null =>
  text.includes('#attached\n') ? null : text.slice(-100);

const fewest_keys = 16_384;
const most_keys = 262_144;
const records_per_cpu = 128;

/** Room for the records of all CPUs, and for twice the tasks of the host. */
function mapKeys({ files }: Context, cpus: number): number {
  const wanted = Math.max(fewest_keys, records_per_cpu * cpus, 2 * (liveTasks(files) ?? 0));
  return Math.min(most_keys, 2 ** Math.ceil(Math.log2(wanted)));
}

/** 32 MiB in all: what is lost there was faster than bpftrace for seconds. */
const all_pages = 8192;
const most_pages_of_cpu = 2048;
const fewest_pages = 64;

/** Since 0.18 bpftrace has one buffer where it had one of so many pages for each CPU. */
async function bufferPages(ctx: Context, cpus: number): Promise<number> {
  if (await bpftraceHas(ctx, 18)) return all_pages;
  const fair = 2 ** Math.floor(Math.log2(all_pages / cpus));
  return Math.min(most_pages_of_cpu, Math.max(fewest_pages, fair));
}
