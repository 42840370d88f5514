import type { Subject } from './command.ts';

/** Which parameters of a program say what, counted from 0. */
type Parameters = Readonly<{
  /** Milliseconds that it watches; without one, as long as it is let. */
  window?: number;
  /** Processes or threads; 0: all. */
  pids?: readonly number[];
  rate?: number;
  /** What it tells is of devices, CPUs or queues, and of no process. */
  sums?: true;
}>;

/** By the name of the program; a composed one bears that of its beginning. */
const scripts: Readonly<Record<string, Parameters>> = {
  biolatency: { window: 0, sums: true },
  dsq: { sums: true },
  'exec-events': { window: 0 },
  fileopen: { window: 0, pids: [1] },
  fileslow: { window: 0, pids: [2] },
  'function-count': { window: 0, pids: [1] },
  'function-latency': { window: 0, pids: [1] },
  'function-stacks': { window: 0, pids: [1] },
  gethostlatency: { window: 0, pids: [1] },
  iolayers: { window: 0, sums: true },
  offcpu: { window: 0, pids: [1] },
  oncpu: { window: 0, rate: 1, pids: [2] },
  runqlat: { window: 0, pids: [2] },
  'runqlat-pidns': { window: 0, pids: [2] },
  'sched-aggregates': { sums: true },
  stream: { pids: [1, 2], rate: 23 },
  syscount: { window: 0, pids: [1] },
  'task-ext': { pids: [0] },
  tcplife: { window: 0 },
};

/** What a program looks at, by its parameters: one that is not in the table looks at everything. */
export function scriptSubject(
  name: string,
  parameters: readonly number[],
  duration_ms: number,
): Pick<Subject, 'watches' | 'window_ms' | 'rate_hz'> {
  const {
    window,
    pids = [],
    rate,
    sums,
  } = Object.hasOwn(scripts, name) ? (scripts[name] ?? {}) : {};
  const at = (index: number | undefined): number | null =>
    index === undefined ? null : (parameters[index] ?? null);
  const pid = pids.map(at).find((each) => each !== null && each > 0);
  return {
    watches: sums ? 'none' : pid ? { pid } : 'all',
    window_ms: at(window) ?? duration_ms,
    rate_hz: at(rate),
  };
}
