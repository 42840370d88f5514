import type { StreamEvent } from '../../parsers/stream/stream.ts';
import { text, whole } from './perfetto/ftrace-event.ts';

/** What a recording holds, in numbers. */
export type RecordingFigures = Readonly<{
  events: Readonly<Record<string, number>>;
  switches: number;
  wakeups: number;
  /** Places where a CPU switched from another task than it had switched to: what is between is missing. */
  gaps: number;
  /** CPUs that changed their task: of another one nothing is told. */
  cpus_seen: number;
  /** Of those, the busiest first. */
  cpus: readonly Readonly<{ cpu: number; busy_pct: number; switches: number }>[];
  /** Those that ran longest. `pid` is the process, or the thread where that is not known. */
  processes: readonly Readonly<{
    pid: number;
    comm: string | null;
    cpu_ms: number;
    cpu_pct: number;
    switches: number;
  }>[];
  longest_wait: Readonly<{ wait_us: number; pid: number; comm: string | null; cpu: number }> | null;
}>;

type Cpu = { since_ns: number; busy_ns: number; switches: number; task: Task | null };
type Task = Readonly<{ pid: number; tgid: number | null; comm: string | null }>;
type Ran = { pid: number; comm: string | null; ns: number; switches: number };

/** A host can start more processes in a minute than are worth a row each. */
const most_processes = 50_000;

export function figuresOf(from_ns: number, most_rows = 5) {
  const counts = new Map<string, number>();
  const cpus = new Map<number, Cpu>();
  const processes = new Map<number, Ran>();
  let gaps = 0;
  let longest: RecordingFigures['longest_wait'] = null;

  function ran(task: Task | null, cpu: Cpu, ts: number): void {
    const ns = ts - cpu.since_ns;
    if (task === null || task.pid === 0 || ns <= 0) return;
    cpu.busy_ns += ns;
    const pid = task.tgid ?? task.pid;
    const known = processes.get(pid);
    if (known === undefined && processes.size >= most_processes) return;
    const row = known ?? { pid, comm: task.comm, ns: 0, switches: 0 };
    // A process has the name of its first thread.
    if (task.pid === pid) row.comm = task.comm;
    row.ns += ns;
    row.switches += 1;
    processes.set(pid, row);
  }

  function switched(event: StreamEvent, number: number, ts: number): void {
    const cpu = cpus.get(number) ?? { since_ns: from_ns, busy_ns: 0, switches: 0, task: null };
    cpus.set(number, cpu);
    cpu.switches += 1;
    // It should have come before those that are counted.
    if (ts < cpu.since_ns) return;
    const prev = taskOf(event, 'prev');
    const isGap = cpu.task !== null && cpu.task.pid !== prev.pid;
    if (isGap) gaps += 1;
    else ran(prev, cpu, ts);
    cpu.since_ns = ts;
    cpu.task = taskOf(event, 'next');
    const wait_us = whole(event['next_wakeup_lat_us']);
    if (wait_us > (longest?.wait_us ?? 0)) {
      const { pid, comm } = cpu.task;
      longest = { wait_us, pid, comm, cpu: number };
    }
  }

  return {
    /** Those of one CPU in the order of time. */
    add(event: StreamEvent, ts: number): void {
      counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
      if (event.type === 'sched_switch' && event.cpu !== null) switched(event, event.cpu, ts);
    },
    result(to_ns: number): RecordingFigures {
      const window_ns = to_ns - from_ns;
      for (const cpu of cpus.values()) {
        ran(cpu.task, cpu, to_ns);
        cpu.since_ns = to_ns;
      }
      const pct = (ns: number): number => Math.round((ns / window_ns) * 1000) / 10;
      return {
        events: Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)),
        switches: counts.get('sched_switch') ?? 0,
        wakeups: (counts.get('sched_waking') ?? 0) + (counts.get('sched_wakeup_new') ?? 0),
        gaps,
        cpus_seen: cpus.size,
        cpus: [...cpus]
          .sort(([, a], [, b]) => b.busy_ns - a.busy_ns)
          .slice(0, most_rows)
          .map(([cpu, { busy_ns, switches }]) => ({ cpu, busy_pct: pct(busy_ns), switches })),
        processes: [...processes.values()]
          .sort((a, b) => b.ns - a.ns)
          .slice(0, most_rows)
          .map(({ pid, comm, ns, switches }) => ({
            pid,
            comm,
            cpu_ms: Math.round(ns / 1e4) / 100,
            cpu_pct: pct(ns),
            switches,
          })),
        longest_wait: longest,
      };
    },
  };
}

function taskOf(event: StreamEvent, which: 'prev' | 'next'): Task {
  const tgid = event[`${which}_tgid`];
  return {
    pid: whole(event[`${which}_pid`]),
    tgid: typeof tgid === 'number' ? tgid : null,
    comm: text(event[`${which}_comm`]),
  };
}
