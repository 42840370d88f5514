import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** What the kernel says that a process has used, in ticks of 10 ms. */
export function cpuTime(pid: number): Readonly<{ user: number; kernel: number }> {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const columns = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(columns[11]), kernel: Number(columns[12]) };
}

/** Waits until a process has had the CPU for so long, however long that takes beside others. */
export const hasRun = (pid: number, ms: number): Promise<void> =>
  expect
    .poll(() => cpuTime(pid).user + cpuTime(pid).kernel, { timeout: 30_000, interval: 20 })
    .toBeGreaterThanOrEqual(ms / 10);

/**
 * How far the shares of two samplings of the same thing may lie apart: five standard deviations. A
 * share that is known counts as a sampling without end. No share of few samples is taken for certain.
 */
export function noisePct(share_pct: number, ...samples: readonly number[]): number {
  const least = Math.min(...samples);
  const share = ((share_pct / 100) * least + 2) / (least + 4);
  return 500 * Math.sqrt(share * (1 - share) * samples.reduce((sum, each) => sum + 1 / each, 0));
}
