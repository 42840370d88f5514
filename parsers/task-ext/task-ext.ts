import type { U64 } from '../big-json.ts';
import { dsqId } from '../dsq/dsq-id.ts';

/** What sched_ext keeps of a task. */
export type ExtTask = Readonly<{
  /** Virtual time, in the unit of the scheduler; decimal text beyond 2^53. */
  dsq_vtime: U64;
  /** What is left of its time slice; decimal text beyond 2^53, which is that of SCX_SLICE_INF. */
  slice_ns: U64;
  /** The dispatch queue that it is in; null while it runs, sleeps or is with the scheduler. */
  dsq_id: string | null;
}>;

/**
 * Output of scripts/bpftrace/task-ext.bt, by pid:
 *
 *     61 1748048348 5000000 64
 *     144 0 16770417 0
 *
 * pid, virtual time, slice in ns and queue id in hexadecimal. Other lines are skipped.
 */
export function parseTaskExt(text: string): ReadonlyMap<number, ExtTask> {
  const tasks = [...text.matchAll(/^(\d{1,10}) (\d{1,20}) (\d{1,20}) ([0-9a-f]{1,16})$/gm)];
  return new Map(
    tasks.map(([, pid, vtime = '', slice = '', dsq = '']) => {
      const dsq_id = /^0+$/.test(dsq) ? null : dsqId(`0x${dsq}`).id;
      return [Number(pid), { dsq_vtime: exact(vtime), slice_ns: exact(slice), dsq_id }];
    }),
  );
}

function exact(digits: string): U64 {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : digits;
}
