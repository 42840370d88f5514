import { percent } from './rates.ts';
import type { CpuTrace, Migrations, SoftirqUse, TracedUse } from './sched-trace-cpus.ts';
import type { Pair, ProcessFigures } from './sched-trace-processes.ts';
import { spoken, type WaitFigures, type WaitSummary } from './wait-figures.ts';

/** What was traced of all CPUs, in words. */
export function cpuTraceLines(
  { window_ms }: Pick<CpuTrace, 'window_ms'>,
  { wakeup_latency, run_queue_latency, migrations, softirq }: Partial<TracedUse>,
  cpus: number,
): readonly string[] {
  return [
    ...(wakeup_latency && run_queue_latency
      ? [waitLine(wakeup_latency, run_queue_latency, window_ms)]
      : []),
    ...(migrations && softirq
      ? [`${moved(migrations.in, migrations)}; ${softirqs(softirq, window_ms, cpus)}.`]
      : []),
  ];
}

/** Waits that began with a wakeup, and all of them. */
export function waitLine(woken: WaitFigures, all: WaitFigures, window_ms: number): string {
  return (
    `Traced for ${window_ms} ms: from wakeup to running ${percentiles(woken)}; in any run queue ` +
    `(${all.count - woken.count} times after a preemption) ${percentiles(all)}.`
  );
}

const percentiles = ({ count, p50_ns, p99_ns, max_ns }: WaitFigures): string =>
  count === 0
    ? 'nothing'
    : `p50 ${spoken(p50_ns)}, p99 ${spoken(p99_ns)}, longest ${spoken(max_ns)} of ${count}`;

type Distances = Omit<Migrations, 'in' | 'out'>;

function moved(count: number, { cross_llc, cross_node }: Distances): string {
  const far = cross_llc + cross_node;
  const where = far === 0 ? '' : ` (${cross_llc} to another cache, ${cross_node} to another node)`;
  return `${count} migrations${where}`;
}

function softirqs({ time_ns, by_vector }: SoftirqUse, window_ms: number, cpus: number): string {
  const [most] = Object.entries(by_vector).sort(([, a], [, b]) => b.time_ns - a.time_ns);
  const named = most ? `, most of it ${most[0]}` : '';
  return `softirqs took ${percent(time_ns, window_ms * 1e6 * cpus)} % of the CPUs' time${named}`;
}

type Named = Readonly<{ pid: number; comm: string | null }>;

const nameOf = ({ comm, pid }: Named): string => `${comm ?? 'ended process'} (pid ${pid})`;

/** The process with the longest wait, and the pair of processes with most wakeups. */
export function pairLine(longest?: Named & WaitSummary, pair?: Pair): readonly string[] {
  const wait = longest ? [`Longest wait ${spoken(longest.max_ns)}: ${nameOf(longest)}`] : [];
  const wakes = pair
    ? [
        `most wakeups: ${nameOf({ pid: pair.waker_pid, comm: pair.waker_comm })} woke ` +
          `${nameOf({ pid: pair.woken_pid, comm: pair.woken_comm })} ${pair.wakeups} times`,
      ]
    : [];
  return wait.length + wakes.length === 0 ? [] : [`${[...wait, ...wakes].join('; ')}.`];
}

type OneProcess = Readonly<{ wakeup_latency: WaitFigures; run_queue_latency: WaitFigures }> &
  Pick<ProcessFigures, 'migrations' | 'wakers'>;

export function processTraceLine(
  { wakeup_latency, run_queue_latency, migrations, wakers }: OneProcess,
  window_ms: number,
): string {
  const [waker] = wakers;
  const woken = waker ? `, woken most by ${nameOf(waker)}, ${waker.wakeups} times` : '';
  return (
    `${waitLine(wakeup_latency, run_queue_latency, window_ms).slice(0, -1)}; ` +
    `${moved(migrations.count, migrations)}${woken}.`
  );
}
