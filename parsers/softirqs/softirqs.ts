import { cpuColumns } from '../interrupts/interrupts.ts';
import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

export type SoftIrqs = Readonly<{
  cpus: readonly number[];
  /** Handled since boot, in the order of `cpus`. */
  vectors: readonly Readonly<{ name: string; per_cpu: readonly number[]; total: number }>[];
}>;

const vectorLine = /^ *([A-Z_]+):((?: +\d{1,20})+)$/;

/**
 * `/proc/softirqs` (fs/proc/softirqs.c), columns of all possible CPUs, offline ones too:
 *
 *                     CPU0       CPU1
 *           NET_RX:       3765       5398
 *
 * A row of another form or width becomes a warning. Without the line of CPUs: ParseError.
 */
export function parseSoftIrqs(text: string): Parsed<SoftIrqs> {
  const [header = '', ...rows] = completeLines(text);
  const cpus = cpuColumns(header);
  const warnings: ParseWarning[] = [];
  const vectors: SoftIrqs['vectors'][number][] = [];
  for (const [index, row] of rows.entries()) {
    const [, name, counts = ''] = vectorLine.exec(row) ?? [];
    const per_cpu = counts.trim().split(/ +/).map(Number);
    if (name === undefined || per_cpu.length !== cpus.length) {
      warnings.push(warn(index + 2, `not a row of ${cpus.length} CPUs`, row));
    } else {
      vectors.push({ name, per_cpu, total: per_cpu.reduce((sum, count) => sum + count, 0) });
    }
  }
  return { data: { cpus, vectors }, warnings };
}
