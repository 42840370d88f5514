import type { ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import {
  type Advice,
  cpuAdvice,
  cpuSeverity,
  gpuSeverity,
  memoryAdvice,
  memorySeverity,
  type Severity,
} from './python-advice.ts';
import { type PlacedLine, placedLines } from './python-lines.ts';

export type HotspotType = 'cpu' | 'memory' | 'gpu';

/** A line that costs much, under the names that the documents give its fields. */
export type Hotspot = Readonly<{
  type: HotspotType;
  severity: Severity;
  filename: string;
  lineno: number;
  line: string;
  /** On a CPU: Python and native. Waiting is told apart. */
  cpu_percent: number;
  python_percent: number | null;
  native_percent: number | null;
  waiting_percent: number | null;
  /** The line's share of the elapsed time, waiting left out. */
  cpu_s: number | null;
  memory_mb: number | null;
  /** All that the line allocated, freed or not. */
  allocated_mb: number | null;
  gpu_percent: number | null;
  function_name: string | null;
  is_in_loop: boolean;
  /** What says so, what to try, and the figure behind it. */
  rule: string | null;
  recommendation: string | null;
  evidence: string | null;
}>;

type View = Readonly<{
  cost(line: PlacedLine): number;
  severity(cost: number): Severity;
  advice(line: PlacedLine): Advice | null;
}>;

const views: Readonly<Record<HotspotType, View>> = {
  cpu: { cost: (line) => line.cpu_pct, severity: cpuSeverity, advice: cpuAdvice },
  memory: { cost: (line) => line.peak_mb ?? 0, severity: memorySeverity, advice: memoryAdvice },
  gpu: {
    cost: (line) => line.gpu_pct ?? 0,
    severity: gpuSeverity,
    advice: ({ gpu_pct }) =>
      (gpu_pct ?? 0) > 50
        ? {
            rule: 'gpu',
            evidence: `${round(gpu_pct)} % GPU time`,
            text: 'Batch the work on the GPU and keep its data there.',
          }
        : null,
  },
};

/** The lines that cost most, dearest first; what costs nothing, or less than `least`, is none. */
export function hotspots(
  profile: ScaleneProfile,
  type: HotspotType,
  least = 0,
): readonly Hotspot[] {
  const { cost, severity, advice } = views[type];
  return placedLines(profile)
    .filter((line) => cost(line) > 0 && cost(line) >= least)
    .sort((a, b) => cost(b) - cost(a) || a.line - b.line)
    .map((line) => {
      const advised = advice(line);
      return {
        type,
        severity: severity(cost(line)),
        filename: line.file,
        lineno: line.line,
        line: line.source.trim(),
        cpu_percent: round(line.cpu_pct) ?? 0,
        python_percent: round(line.python_pct),
        native_percent: round(line.native_pct),
        waiting_percent: round(line.waiting_pct),
        cpu_s:
          profile.elapsed_s === null ? null : round((line.cpu_pct / 100) * profile.elapsed_s, 3),
        memory_mb: profile.memory ? round(line.peak_mb) : null,
        allocated_mb: profile.memory ? round(line.allocated_mb, 6) : null,
        gpu_percent: profile.gpu_device === null ? null : round(line.gpu_pct),
        function_name: line.function_name,
        is_in_loop: line.in_loop,
        rule: advised?.rule ?? null,
        recommendation: advised?.text ?? null,
        evidence: advised?.evidence ?? null,
      };
    });
}

/** Lines that wait rather than compute, longest first. */
export function waits(profile: ScaleneProfile, least_pct = 5): readonly PlacedLine[] {
  return placedLines(profile)
    .filter((line) => (line.waiting_pct ?? 0) >= least_pct)
    .sort((a, b) => (b.waiting_pct ?? 0) - (a.waiting_pct ?? 0));
}

export function round(value: number | null, digits = 2): number | null {
  return value === null ? null : Math.round(value * 10 ** digits) / 10 ** digits;
}
