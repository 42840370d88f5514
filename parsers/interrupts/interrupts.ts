import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

export type InterruptSource = Readonly<{
  /** IRQ number, or the kernel's name of an architecture interrupt such as LOC. */
  id: string;
  /** Controller and device, or what the architecture interrupt is for. */
  description: string;
  /** Interrupts since boot, in the order of `cpus`. */
  per_cpu: readonly number[];
  total: number;
}>;

export type Interrupts = Readonly<{
  cpus: readonly number[];
  sources: readonly InterruptSource[];
}>;

/**
 * `/proc/interrupts` (kernel/irq/proc.c, arch/x86/kernel/irq.c), columns of the online CPUs:
 *
 *                CPU0       CPU1
 *     26:          0         14  IO-APIC   4-edge      ttyS0
 *     LOC:      10583      12913   Local timer interrupts
 *
 * ERR and MIS have one number whatever the number of CPUs: it goes to `total`, and `per_cpu` is
 * empty. A row with another number of columns becomes a warning. Without the line of CPUs:
 * ParseError.
 */
export function parseInterrupts(text: string): Parsed<Interrupts> {
  const [header = '', ...rows] = completeLines(text);
  const cpus = cpuColumns(header);
  const warnings: ParseWarning[] = [];
  const sources: InterruptSource[] = [];
  for (const [index, row] of rows.entries()) {
    const source = sourceOf(row, cpus.length);
    if (source) sources.push(source);
    else warnings.push(warn(index + 2, `not a row of ${cpus.length} CPUs`, row));
  }
  return { data: { cpus, sources }, warnings };
}

/** The CPU numbers that head the columns of /proc/interrupts and /proc/softirqs. */
export function cpuColumns(header: string): number[] {
  if (!/^ +CPU\d/.test(header)) throw new ParseError('no line of CPUs', 1);
  const names = header.trim().split(/ +/);
  if (!names.every((name) => /^CPU\d{1,9}$/.test(name))) throw new ParseError('not CPUs', 1);
  return names.map((name) => Number(name.slice('CPU'.length)));
}

function sourceOf(row: string, columns: number): InterruptSource | null {
  const colon = row.indexOf(':');
  if (colon === -1) return null;
  const id = untrusted(row.slice(0, colon), 20);
  const fields = row
    .slice(colon + 1)
    .trim()
    .split(/ +/);
  if (id === 'ERR' || id === 'MIS') {
    const total = Number(fields[0]);
    return Number.isSafeInteger(total) ? { id, description: id, per_cpu: [], total } : null;
  }
  const per_cpu = fields.slice(0, columns).map(Number);
  if (per_cpu.length < columns || !per_cpu.every(Number.isSafeInteger)) return null;
  const description = untrusted(fields.slice(columns).join(' '), 80);
  return { id, description, per_cpu, total: per_cpu.reduce((sum, count) => sum + count, 0) };
}
