import { parseScxOps, type ScxOps } from '../../parsers/scx-ops/scx-ops.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { kernelFacts } from './kernel-facts.ts';

/** A scheduler that runs below another one, for the tasks of one cgroup (7.1 and later). */
export type SubScheduler = Readonly<{
  /** Its folder, `sub-<cgroup id>`. */
  id: string;
  path: string;
  ops: ScxOps | null;
}>;

export type SchedExtState = Readonly<{
  supported: boolean;
  /** disabled, enabling, enabled or disabling; null where there is no sched_ext. */
  state: string | null;
  /** Whether a sched_ext scheduler decides at the moment. */
  active: boolean;
  ops: ScxOps | null;
  /** False: only tasks of policy SCHED_EXT are its own. */
  switch_all: boolean | null;
  nr_rejected: number | null;
  hotplug_seq: number | null;
  /** How many schedulers were loaded since boot. */
  enable_seq: number | null;
  sub_schedulers: readonly SubScheduler[];
  /** Why none is active; null where one is. */
  reason: string | null;
  fix: string | null;
}>;

export const sched_ext_root = '/sys/kernel/sched_ext';

/** Reads `/sys/kernel/sched_ext` (kernel/sched/ext.c): a few small files that everybody may read. */
export function schedExtState(ctx: Context): SchedExtState {
  const { files } = ctx;
  const supported = files.exists(sched_ext_root);
  const state = files.text(`${sched_ext_root}/state`)?.trim() ?? null;
  // The folder of a scheduler appears before it decides anything and goes after it has stopped.
  const active = state === 'enabled';
  const ops = active ? readOps(ctx, `${sched_ext_root}/root`) : null;
  const number = (name: string): number | null => files.number(`${sched_ext_root}/${name}`);
  const switch_all = number('switch_all');
  return {
    supported,
    state: state === null ? null : untrusted(state, 40),
    active,
    ops,
    switch_all: switch_all === null ? null : switch_all !== 0,
    nr_rejected: number('nr_rejected'),
    hotplug_seq: number('hotplug_seq'),
    enable_seq: number('enable_seq'),
    sub_schedulers: active ? subSchedulers(ctx, `${sched_ext_root}/root`, 0) : [],
    ...(active ? { reason: null, fix: null } : whyInactive(ctx, supported, state)),
  };
}

/** EEVDF replaced CFS with 6.6; both are the class `fair`. Null where the release is not known. */
export function fairScheduler(ctx: Context): 'EEVDF' | 'CFS' | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernelFacts(ctx).release.value ?? '') ?? [];
  if (major === undefined) return null;
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 6) ? 'EEVDF' : 'CFS';
}

function readOps({ files }: Context, folder: string): ScxOps | null {
  const text = files.text(`${folder}/ops`);
  return text === null ? null : parseScxOps(text);
}

/** The kernel nests them four deep (SCX_SUB_MAX_DEPTH). */
const deepest = 4;

function subSchedulers(ctx: Context, folder: string, depth: number): readonly SubScheduler[] {
  const names = ctx.files.list(`${folder}/sub`) ?? [];
  return names
    .filter((name) => /^sub-\d{1,20}$/.test(name))
    .flatMap((id) => {
      const path = `${folder}/sub/${id}`;
      const below = depth < deepest ? subSchedulers(ctx, path, depth + 1) : [];
      return [{ id, path, ops: readOps(ctx, path) }, ...below];
    });
}

type Why = Pick<SchedExtState, 'reason' | 'fix'>;

function whyInactive(ctx: Context, supported: boolean, state: string | null): Why {
  if (!supported) return { reason: kernelFacts(ctx).sched_ext.reason, fix: null };
  if (ctx.files.number('/sys/kernel/realtime') === 1) {
    return { reason: 'A PREEMPT_RT kernel loads no sched_ext scheduler.', fix: null };
  }
  if (state === null) return { reason: `${sched_ext_root}/state is not readable.`, fix: null };
  if (state !== 'disabled') return { reason: `sched_ext is ${untrusted(state, 40)}.`, fix: null };
  return { reason: 'No sched_ext scheduler is loaded.', fix: 'sudo scx_simple' };
}
