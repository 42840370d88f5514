import type { PlacedLine } from './python-lines.ts';

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** What to try on a line, and the figure that says so. */
export type Advice = Readonly<{ rule: string; evidence: string; text: string }>;

type Rule<T> = Readonly<{
  rule: string;
  applies(line: T): boolean;
  evidence(line: T): string;
  text: string;
}>;

/** The first rule that applies speaks. Figures: docs of Scalene, and what its columns really mean. */
const cpuRules: readonly Rule<PlacedLine>[] = [
  {
    rule: 'waits',
    applies: (line) => (line.waiting_pct ?? 0) > line.cpu_pct && (line.waiting_pct ?? 0) > 5,
    evidence: (line) =>
      `${pct(line.waiting_pct)} of the run waiting, ${pct(line.cpu_pct)} on a CPU`,
    text: 'It waits (sleep, I/O, a lock, or a busy machine): overlap or batch what it waits for.',
  },
  {
    rule: 'native',
    applies: (line) => (line.native_pct ?? 0) > (line.python_pct ?? 0),
    evidence: (line) => `${pct(line.native_pct)} in native code, ${pct(line.python_pct)} in Python`,
    text: 'Native code does the work: call it less often, or on less data.',
  },
  {
    rule: 'python-loop',
    applies: (line) => (line.python_pct ?? 0) > 10 && line.in_loop,
    evidence: (line) => `${pct(line.python_pct)} in Python, inside the loop ${span(line.loop)}`,
    text: 'Python runs it time and again: vectorise the loop, or keep results instead of computing them anew.',
  },
  {
    rule: 'python',
    applies: (line) => (line.python_pct ?? 0) > 10,
    evidence: (line) => `${pct(line.python_pct)} in Python`,
    text: 'Look for a better algorithm or a built-in that does the same in native code.',
  },
];

const memoryRules: readonly Rule<PlacedLine>[] = [
  {
    rule: 'many-allocations',
    applies: (line) => (line.sampled_allocations ?? 0) > 1000,
    evidence: (line) => `${line.sampled_allocations} sampled allocations`,
    text: 'Reuse objects or buffers instead of allocating new ones.',
  },
  {
    rule: 'large-peak',
    applies: (line) => (line.peak_mb ?? 0) > 100,
    evidence: (line) => `peak of ${mb(line.peak_mb)}`,
    text: 'Work in chunks, or stream, so that not all of it is in memory at once.',
  },
  {
    rule: 'spikes',
    applies: (line) => (line.average_mb ?? 0) < 0.3 * (line.peak_mb ?? 0),
    evidence: (line) => `peak of ${mb(line.peak_mb)}, ${mb(line.average_mb)} on average`,
    text: 'A short-lived large object: build it piece by piece.',
  },
  {
    rule: 'copies',
    applies: (line) => (line.copied_mb_per_s ?? 0) > 100,
    evidence: (line) => `${mb(line.copied_mb_per_s)} copied per second`,
    text: 'Pass views or work in place instead of copying.',
  },
];

export const cpuAdvice = (line: PlacedLine): Advice | null => first(cpuRules, line);
export const memoryAdvice = (line: PlacedLine): Advice | null => first(memoryRules, line);

/** Documented bands, strictly above; `critical` where a single line is most of the run. */
export const cpuSeverity = (pct: number): Severity => band(pct, [50, 20, 5]);
export const memorySeverity = (mb: number): Severity => band(mb, [1024, 100, 10]);
export const gpuSeverity = (pct: number): Severity => band(pct, [90, 50, 10]);

function first<T>(rules: readonly Rule<T>[], line: T): Advice | null {
  const found = rules.find((each) => each.applies(line));
  return found ? { rule: found.rule, evidence: found.evidence(line), text: found.text } : null;
}

function band(
  value: number,
  [critical, high, medium]: readonly [number, number, number],
): Severity {
  if (value > critical) return 'critical';
  if (value > high) return 'high';
  return value > medium ? 'medium' : 'low';
}

const pct = (value: number | null): string => `${(value ?? 0).toFixed(1)} %`;
const mb = (value: number | null): string => `${(value ?? 0).toFixed(1)} MB`;
const span = (loop: readonly [number, number] | null): string =>
  loop ? `of lines ${loop[0]} to ${loop[1]}` : '';
