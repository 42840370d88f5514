import type { Context } from '../context.ts';

/** Schedulers that people ask about, the running one first. Source of the names: sched-ext/scx. */
const known = [
  'scx_beerland',
  'scx_bpfland',
  'scx_chaos',
  'scx_cosmos',
  'scx_flash',
  'scx_lavd',
  'scx_layered',
  'scx_mitosis',
  'scx_p2dq',
  'scx_rusty',
  'scx_rustland',
  'scx_simple',
  'scx_tickless',
];

/** Names for completion while someone types. */
export function schedulerNames(ctx: Context): readonly string[] {
  const running = ctx.files.text('/sys/kernel/sched_ext/root/ops')?.trim();
  return running ? [running, ...known] : known;
}
