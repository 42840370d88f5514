import type { Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import type { ExtTasks } from './process-ext.ts';
import type { ProcessRow } from './process-row.ts';

/**
 * Why the fields of these rows that are null in all of them are null. `ext`: what sched_ext keeps of
 * the tasks; null where nobody asked.
 */
export function unavailableFields(
  ctx: Context,
  rows: readonly ProcessRow[],
  ext: ExtTasks | null,
): readonly Unavailable[] {
  const missing = (value: (row: ProcessRow) => unknown): boolean =>
    rows.length > 0 && rows.every((row) => value(row) === null);
  return [
    ...(missing((row) => row.run_queue_wait_ms) ? [noWaits] : []),
    { what: 'latency.min_ns, latency.max_ns', reason: noExtremes, fix: trace },
    ...(missing((row) => row.nr_wakeups) ? [wakeups(ctx)] : []),
    ...(missing((row) => row.nr_migrations) ? [noMigrations] : []),
    ...schedExt(ctx, rows, ext),
  ];
}

const noExtremes =
  'The kernel keeps the sum and the number of the waits of a thread; a trace tells the longest.';
const trace = 'sudo tracewright read "stats://aggregated/process?trace_ms=1000"';

const noWaits: Unavailable = {
  what: 'run_queue_wait_ms, run_queue_wait_pct, latency',
  reason: '/proc/PID/task/TID/schedstat is missing or not kept (kernel without CONFIG_SCHED_INFO).',
  fix: null,
};

const noMigrations: Unavailable = {
  what: 'nr_migrations, migrations_per_s, vruntime_ms, slice_ms',
  reason:
    '/proc/PID/task/TID/sched cannot be read (before Linux 6.15 it needs CONFIG_SCHED_DEBUG).',
  fix: null,
};

function wakeups({ files }: Context): Unavailable {
  const what = 'nr_wakeups';
  const told = files.number('/proc/sys/kernel/sched_schedstats');
  if (told !== null) {
    const reason = 'The kernel counts wakeups of a thread only while kernel.sched_schedstats is 1.';
    return { what, reason, fix: 'sudo sysctl kernel.sched_schedstats=1' };
  }
  const reason = 'This kernel counts no wakeups of a thread: they need a trace of sched_wakeup.';
  return { what, reason, fix: null };
}

function schedExt(
  { files }: Context,
  rows: readonly ProcessRow[],
  ext: ExtTasks | null,
): readonly Unavailable[] {
  if (!files.exists('/sys/kernel/sched_ext')) {
    const reason = 'This kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT).';
    return [{ what: 'sched_ext, layer_id, dsq_vtime', reason, fix: null }];
  }
  if (files.text('/sys/kernel/sched_ext/state')?.trim() !== 'enabled') {
    const reason = 'No sched_ext scheduler is loaded.';
    return [{ what: 'layer_id, dsq_vtime', reason, fix: null }];
  }
  const unknown = rows.length > 0 && rows.every(({ sched_ext }) => sched_ext === null);
  return [
    { what: 'layer_id', reason: noLayer, fix: null },
    ...(ext === null ? [notAsked] : 'what' in ext ? [ext] : []),
    ...(unknown ? [noExtLine] : []),
    ...(rows.some(({ sched_ext }) => sched_ext) ? [notFair] : []),
  ];
}

const noLayer =
  'Statistics of scx_layered name layers, not the tasks in them: only its own BPF maps know.';

const notAsked: Unavailable = {
  what: 'dsq_vtime',
  reason: 'No file shows it: it takes a look with bpftrace, as root.',
  fix: 'tracewright read "stats://aggregated/process?sched_ext=true"',
};

const noExtLine: Unavailable = {
  what: 'sched_ext',
  reason:
    '/proc/PID/sched has no ext.enabled line (before Linux 6.15 it needs CONFIG_SCHED_DEBUG).',
  fix: null,
};

const notFair: Unavailable = {
  what: 'vruntime_ms, slice_ms of tasks under sched_ext',
  reason: 'They are of the fair class, which does not schedule these tasks.',
  fix: null,
};

/**
 * Processes that this user is not shown. hidepid=1 leaves their pids in the listing, 2 and 4 do not,
 * so only the mount options tell.
 */
export function hiddenProcesses(ctx: Context, unreadable: number): readonly Unavailable[] {
  const options = /^proc \/proc proc (\S+)/mu.exec(ctx.files.text('/proc/mounts') ?? '')?.[1] ?? '';
  const hidepid = /hidepid=([1-9a-z]+)/u.exec(options)?.[1];
  const hides = ctx.uid !== 0 && hidepid !== undefined && hidepid !== 'off';
  if (!hides && unreadable === 0) return [];
  return [
    {
      what: unreadable > 0 ? `${unreadable} processes` : 'processes of other users',
      reason: hides
        ? `/proc is mounted with hidepid=${hidepid}: other users' processes are hidden from us.`
        : 'Their /proc/PID/stat cannot be read by this user.',
      fix: hides ? 'sudo mount -o remount,hidepid=0 /proc' : null,
    },
  ];
}
