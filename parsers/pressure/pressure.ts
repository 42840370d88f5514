import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Share of time stalled, damped over 10, 60, 300 s, and the time stalled since boot. */
export type Stall = Readonly<{
  avg10_pct: number;
  avg60_pct: number;
  avg300_pct: number;
  total_us: number;
}>;

/** `some`: at least one task stalled. `full`: all tasks that could run stalled at once. */
export type Pressure = Readonly<{ some: Stall | null; full: Stall | null }>;

const stallLine =
  /^(some|full) avg10=(\d+\.\d+) avg60=(\d+\.\d+) avg300=(\d+\.\d+) total=(\d{1,20})$/;

/**
 * `/proc/pressure/{cpu,memory,io,irq}` and the `*.pressure` files of cgroup v2
 * (kernel/sched/psi.c):
 *
 *     some avg10=0.01 avg60=0.30 avg300=0.19 total=9728517
 *     full avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *
 * `cpu` has no `full` line before 5.13, and system-wide that line is always zero; `irq` has only
 * `full`. Lines that start with another word are skipped, since new kinds may appear.
 */
export function parsePressure(text: string): Parsed<Pressure> {
  const warnings: ParseWarning[] = [];
  let some: Stall | null = null;
  let full: Stall | null = null;
  for (const [index, line] of completeLines(text).entries()) {
    const found = stallLine.exec(line);
    if (!found && /^(?:some|full)/.test(line)) {
      warnings.push(warn(index + 1, 'not a line of pressure', line));
    }
    if (!found) continue;
    const [avg10_pct = 0, avg60_pct = 0, avg300_pct = 0, total_us = 0] = found.slice(2).map(Number);
    const stall = { avg10_pct, avg60_pct, avg300_pct, total_us };
    if (found[1] === 'some') some = stall;
    else full = stall;
  }
  return { data: { some, full }, warnings };
}
