import { ParseError } from '../parsed.ts';

/** CPU time that a cgroup may use in each period. `quota_us` is null where there is no limit. */
export type CpuMax = Readonly<{ quota_us: number | null; period_us: number }>;

/**
 * `cpu.max` of cgroup v2 (kernel/sched/core.c, cpu_max_show), one line. ParseError on any other form.
 *
 *     max 100000
 *     150000 100000
 */
export function parseCpuMax(text: string): CpuMax {
  const [, quota, period] = /^(\d{1,20}|max) (\d{1,20})\n/.exec(text) ?? [];
  if (quota === undefined || Number(period) === 0) throw new ParseError('not cpu.max', 1);
  return { quota_us: quota === 'max' ? null : Number(quota), period_us: Number(period) };
}
