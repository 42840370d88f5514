import type { Holder } from '../../parsers/bpftool-rows.ts';
import type { ScxExit } from '../../parsers/scx-log/scx-log.ts';
import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { fairScheduler, type SchedExtState, sched_ext_root } from './sched-ext.ts';
import { settledState } from './scheduler-change.ts';
import { lastExit } from './scheduler-exit.ts';
import { type LoadingProcess, loadingProcess } from './scheduler-loader.ts';

type Named = Readonly<{
  name: string | null;
  version: string | null;
  build: string | null;
  /** The whole name that the scheduler gave itself. */
  ops: string | null;
}>;

export type CurrentScheduler = Named &
  Pick<
    SchedExtState,
    'active' | 'state' | 'switch_all' | 'nr_rejected' | 'hotplug_seq' | 'enable_seq' | 'reason'
  > &
  Readonly<{
    /** The scheduling class of ordinary tasks. */
    class: 'sched_ext' | 'fair';
    sub_schedulers: readonly (Named & Readonly<{ id: string }>)[];
    /** Schedules what sched_ext does not: all ordinary tasks while none is active. */
    fallback_class: 'EEVDF' | 'CFS' | null;
    sched_ext_supported: boolean;
    /** It keeps the scheduler loaded: when it ends, the scheduler does. */
    loading_process: Holder | null;
    /** How the last sched_ext scheduler ended; null while one runs and where none ever did. */
    last_exit: ScxExit | null;
  }>;

/** Who schedules ordinary tasks at the moment. */
export async function collectCurrentScheduler(
  ctx: Context,
  call: Call,
): Promise<Reading<CurrentScheduler>> {
  const state = await settledState(ctx, call);
  const { ops, supported, sub_schedulers, fix, ...rest } = state;
  const { active, reason } = rest;
  const fallback_class = fairScheduler(ctx);
  const loader = active ? await loadingProcess(ctx, ops?.ops ?? null, call) : nobody;
  const last = await exitOf(ctx, state, call);
  const named = active
    ? names(ops)
    : { name: fallback_class, version: null, build: null, ops: null };
  return {
    data: {
      ...named,
      class: active ? 'sched_ext' : 'fair',
      ...rest,
      sub_schedulers: sub_schedulers.map((sub) => ({ id: sub.id, ...names(sub.ops) })),
      fallback_class,
      sched_ext_supported: supported,
      loading_process: loader.process,
      last_exit: last.exit,
    },
    source: sourceOf(state),
    summary: active
      ? activeWords(named, state, loader.process)
      : [
          `${fallback_class ?? 'The fair class'} schedules. ${reason ?? ''}`,
          ...exitWords(last.exit),
        ],
    unavailable: [
      ...(active ? [] : [{ what: 'sched_ext scheduler', reason: reason ?? '', fix }]),
      ...loader.unavailable,
      ...last.unavailable,
    ],
  };
}

function sourceOf({ supported, active, enable_seq }: SchedExtState): string {
  if (!supported) return '/proc/sys/kernel/osrelease';
  if (active) return `${sched_ext_root}, /proc/PID/fdinfo, bpftool struct_ops dump`;
  return enable_seq ? `${sched_ext_root}, dmesg` : sched_ext_root;
}

const nobody: LoadingProcess = { process: null, unavailable: [] };

/** The end of the scheduler before, where one ran and none does. */
async function exitOf(ctx: Context, { state, active, enable_seq }: SchedExtState, call: Call) {
  if (active || !enable_seq) return { exit: null, unavailable: [] };
  if (state !== 'disabling') return await lastExit(ctx, call);
  const reason = 'The scheduler is on its way out: the kernel says why once it is gone.';
  const fix = 'tracewright read scheduler://current';
  return { exit: null, unavailable: [{ what: 'last_exit', reason, fix }] };
}

function exitWords(exit: ScxExit | null): readonly string[] {
  if (!exit) return [];
  const { ops, kind, message, at_s } = exit;
  return [`${ops} ended ${at_s} s after boot: ${kind}${message === null ? '' : `: ${message}`}.`];
}

const names = (ops: SchedExtState['ops']): Named =>
  ops ?? { name: null, version: null, build: null, ops: null };

function activeWords(
  { name, version }: Named,
  state: SchedExtState,
  loader: Holder | null,
): readonly string[] {
  const { switch_all, nr_rejected, sub_schedulers } = state;
  const which = version === null ? name : `${name} ${version}`;
  const reach = switch_all === false ? 'tasks of policy SCHED_EXT only' : 'all ordinary tasks';
  return [
    `sched_ext scheduler ${which ?? 'without a name'} schedules ${reach}.`,
    ...(loader ? [`Process ${loader.pid} (${loader.comm ?? 'ended'}) keeps it loaded.`] : []),
    ...(sub_schedulers.length === 0 ? [] : [`${sub_schedulers.length} schedulers run below it.`]),
    ...(nr_rejected ? [`It rejected ${nr_rejected} tasks.`] : []),
  ];
}
