import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import type { PerfEventRecord } from '../../parsers/perf-events/perf-events.ts';
import type { ExecTrace } from './exec-rungs.ts';
import type { EventFold } from './perf-events-rung.ts';

const clone_thread = 0x10000;

/** The coming and going of processes from events that perf recorded. They tell no exit codes. */
export function execFold(): EventFold<ExecTrace> {
  const events: ProcessEvent[] = [];
  const parents = new Map<number, number>();
  let threads_begun = 0;

  function newTask(record: PerfEventRecord): void {
    const [, child, flags] = /^pid=(\d+) comm=.* clone_flags=([0-9a-f]+) /s.exec(record.text) ?? [];
    if (child === undefined || flags === undefined) return;
    if ((Number.parseInt(flags, 16) & clone_thread) !== 0) {
      threads_begun += 1;
      return;
    }
    parents.set(Number(child), record.pid);
    events.push({
      kind: 'fork',
      ...common(record),
      ppid: null,
      child: Number(child),
      child_comm: null,
    });
  }

  const common = (record: PerfEventRecord) => ({
    at_ns: record.time_ns,
    pid: record.pid,
    ppid: parents.get(record.pid) ?? null,
    uid: null,
    comm: record.comm,
  });

  return {
    event(record) {
      if (record.event === 'task:task_newtask') newTask(record);
      else if (record.event === 'sched:sched_process_exec') {
        const filename = /^filename=(.*) pid=\d+ old_pid=\d+$/s.exec(record.text)?.[1] ?? null;
        events.push({ kind: 'exec', ...common(record), filename, args: null, args_cut: false });
      } else if (lastThread(record)) {
        events.push({ kind: 'exit', ...common(record), code: null, signal: null, age_ns: null });
      }
    },
    finish: () => ({
      events,
      sees: { forks: true, execs: true, failures: false, exits: true },
      from_ns: events[0]?.at_ns ?? null,
      threads_begun,
      tasks_begun: null,
    }),
  };
}

/** Newer kernels say group_dead; in older ones the first thread stands for the process. */
function lastThread({ event, text, pid, tid }: PerfEventRecord): boolean {
  if (event !== 'sched:sched_process_exit') return false;
  const told = / group_dead=(true|false)$/.exec(text)?.[1];
  return told === undefined ? pid === tid : told === 'true';
}
