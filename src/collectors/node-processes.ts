import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { windowMeter } from './counter-window.ts';
import { readStat } from './process-facts.ts';
import { percent } from './rates.ts';

export type NodeProcesses = Readonly<{
  /** Processes whose main thread ran last on a CPU of the node. */
  processes: number;
  /** Those of them that used most CPU time, in percent of one CPU. */
  top_processes: readonly Readonly<{ pid: number; comm: string; cpu_pct: number }>[];
}>;

type Process = Readonly<{
  comm: string;
  starttime_ticks: number;
  used_ticks: number;
  processor: number;
}>;

const top_shown = 3;
const pids_between_yields = 1000;
const ms_per_tick = 10;

/** One file per process; other requests get their turn every thousand. */
async function scan(ctx: Context, call: Call): Promise<ReadonlyMap<number, Process>> {
  const found = new Map<number, Process>();
  const names = (ctx.files.list('/proc') ?? []).filter((name) => /^[1-9]\d*$/.test(name));
  for (const [index, name] of names.entries()) {
    if (index % pids_between_yields === pids_between_yields - 1) await ctx.sleep(0, call.signal);
    const stat = readStat(ctx.files, `/proc/${name}/stat`);
    if (!stat) continue;
    const { comm, starttime_ticks, utime_ticks, stime_ticks, processor } = stat;
    const used_ticks = utime_ticks + stime_ticks;
    found.set(stat.pid, { comm, starttime_ticks, used_ticks, processor });
  }
  return found;
}

const meter = windowMeter(scan);

/** By node; a node where no process ran last has no entry. `nodeOf` gives the node of a CPU. */
export async function measureNodeProcesses(
  ctx: Context,
  window_ms: number | undefined,
  nodeOf: (cpu: number) => number | undefined,
  call: Call,
): Promise<ReadonlyMap<number, NodeProcesses>> {
  const measured = await meter.measure(ctx, window_ms, call);
  const uses = new Map<number, NodeProcesses['top_processes'][number][]>();
  for (const [pid, now] of measured.after) {
    const node = nodeOf(now.processor);
    if (node === undefined) continue;
    const then = measured.before.get(pid);
    const used_ms = (now.used_ticks - usedBefore(then, now)) * ms_per_tick;
    const cpu_pct = percent(used_ms, measured.window_ms) ?? 0;
    const known = uses.get(node);
    const use = { pid, comm: now.comm, cpu_pct };
    if (known) known.push(use);
    else uses.set(node, [use]);
  }
  return new Map([...uses].map(([node, each]) => [node, summed(each)]));
}

/** A pid that came anew, or belongs to another process now, used all of its time in the window. */
const usedBefore = (then: Process | undefined, now: Process): number =>
  then?.starttime_ticks === now.starttime_ticks ? then.used_ticks : 0;

function summed(uses: readonly NodeProcesses['top_processes'][number][]): NodeProcesses {
  const top_processes = uses
    .filter(({ cpu_pct }) => cpu_pct > 0)
    .sort((a, b) => b.cpu_pct - a.cpu_pct)
    .slice(0, top_shown)
    .map((use) => ({ ...use, comm: untrusted(use.comm) }));
  return { processes: uses.length, top_processes };
}
