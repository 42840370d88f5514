import type { Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import type { ProcessRow } from './process-row.ts';

/** Why the fields of these rows that are null in all of them are null. */
export function unavailableFields(
  ctx: Context,
  rows: readonly ProcessRow[],
): readonly Unavailable[] {
  const missing = (value: (row: ProcessRow) => unknown): boolean =>
    rows.length > 0 && rows.every((row) => value(row) === null);
  return [
    ...(missing((row) => row.run_queue_wait_ms) ? [noWaits] : []),
    { what: 'latency.min_ns, latency.max_ns', reason: noExtremes, fix: null },
    ...(missing((row) => row.nr_wakeups) ? [wakeups(ctx)] : []),
    ...(missing((row) => row.nr_migrations) ? [noMigrations] : []),
    ...schedExt(ctx, missing),
  ];
}

const noExtremes =
  'The kernel keeps the sum and the number of the waits of a thread; single waits need a trace (`perf sched record`, then `perf sched latency`).';

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
  missing: (value: (row: ProcessRow) => unknown) => boolean,
): readonly Unavailable[] {
  if (!files.exists('/sys/kernel/sched_ext')) {
    const reason = 'This kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT).';
    return ['layer_id', 'dsq_vtime', 'sched_ext'].map((what) => ({ what, reason, fix: null }));
  }
  const running = files.text('/sys/kernel/sched_ext/state')?.trim() === 'enabled';
  const idle = 'No sched_ext scheduler is loaded.';
  return [
    {
      what: 'layer_id',
      reason: running ? 'Only the scheduler knows it, in its own BPF maps.' : idle,
      fix: null,
    },
    {
      what: 'dsq_vtime',
      reason: running ? 'No file shows p->scx.dsq_vtime; it needs a trace.' : idle,
      fix: null,
    },
    ...(missing((row) => row.sched_ext)
      ? [{ what: 'sched_ext', reason: '/proc/PID/sched has no ext.enabled line.', fix: null }]
      : []),
  ];
}

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
