import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { Call, Context } from '../context.ts';
import { startTracer } from './bpftrace-tracer.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';
import { liveTasks } from './live-tasks.ts';
import { mapPrints } from './printed-maps.ts';

/** What one window of a program brought. */
export type TracedWindow = Readonly<{ text: string; window_ms: number }>;

/** A running sched-aggregates.bt or sched-processes.bt. */
export type SchedTracer = Readonly<{
  pid: number;
  /** Entries that each of its maps holds. */
  map_keys: number;
  /** Its figures of so long from now on. */
  window(window_ms: number, call: Call): Promise<TracedWindow>;
  stop(): Promise<void>;
  ended(): boolean;
}>;

export type SchedProgram =
  | Readonly<{ script: 'sched-aggregates' }>
  | Readonly<{ script: 'sched-processes'; pid: number }>;

/** A tracer that nobody reads goes by itself; it is stopped long before that. */
const longest_ms = 3_600_000;

/** Starts a program and waits until its probes are attached. EXECUTION_FAILED says what it said. */
export async function startSchedTracer(
  ctx: Context,
  program: SchedProgram,
  call: Call,
): Promise<SchedTracer> {
  const prints = mapPrints(ctx);
  const map_keys = mapKeys(ctx);
  const command = bpftraceScript(
    {
      program: { kind: 'whole', name: program.script },
      parameters: program.script === 'sched-processes' ? [program.pid] : [],
      duration_ms: longest_ms,
      map_keys,
      quiet: true,
    },
    ctx,
  );
  const tracer = await startTracer(
    ctx,
    command,
    { onStdout: prints.push },
    () => prints.attached(),
    call,
  );
  return {
    pid: tracer.pid,
    map_keys,
    async window(window_ms, within) {
      const begin = await prints.next(tracer, within);
      const left_ms = begin.at_ms + window_ms - ctx.monotonicMs();
      if (left_ms > 0) await ctx.sleep(left_ms, within.signal);
      const end = await prints.next(tracer, within);
      return { text: end.text, window_ms: Math.round(end.at_ms - begin.at_ms) };
    },
    stop: tracer.stop,
    ended: tracer.ended,
  };
}

const fewest_keys = 4096;
const most_keys = 65_536;
/** Ranges of waits that occur on a CPU, of both kinds. */
const ranges_per_cpu = 32;
/** The kernel sets the entries of most of these maps aside for each CPU at once, eight bytes each. */
const largest_map_bytes = 64 * 1024 * 1024;

/** Room for twice the tasks of the host, and for all ranges of all CPUs; less where that is too much. */
function mapKeys({ files }: Context): number {
  const cpus = (readCpuList(files, `${cpu_root}/possible`) ?? [0]).length;
  const wanted = Math.max(fewest_keys, 2 * (liveTasks(files) ?? 0), ranges_per_cpu * cpus);
  const power = 2 ** Math.ceil(Math.log2(wanted));
  return Math.min(
    power,
    most_keys,
    Math.max(fewest_keys, Math.floor(largest_map_bytes / 8 / cpus)),
  );
}
