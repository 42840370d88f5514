import type { ScaleneFile, ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import { round } from './python-hotspots.ts';
import { type PlacedLine, placedLines } from './python-lines.ts';

/** A function, or the lines of a file outside of all functions, summed up from its lines. */
export type FunctionUse = Readonly<{
  function_name: string;
  file: string;
  start_line: number | null;
  cpu_percent: number;
  python_percent: number;
  native_percent: number;
  waiting_percent: number;
  /** Null where memory, or a GPU, was not profiled. */
  memory_peak_mb: number | null;
  allocated_mb: number | null;
  gpu_percent: number | null;
  line_count: number;
}>;

const module_level = '<module>';

/**
 * Time by function, each line counted once, so that all functions together are the run. Peaks do not
 * add up: a function's is the largest of its lines.
 */
export function functionUses(profile: ScaleneProfile): readonly FunctionUse[] {
  const groups = new Map<string, PlacedLine[]>();
  for (const line of placedLines(profile)) {
    const key = `${line.file}\0${line.function_name ?? module_level}\0${startOf(profile, line) ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()]
    .map((lines) => sumUp(profile, lines))
    .filter((each) => each.cpu_percent + each.waiting_percent + (each.allocated_mb ?? 0) > 0)
    .sort(
      (a, b) => b.cpu_percent - a.cpu_percent || (b.memory_peak_mb ?? 0) - (a.memory_peak_mb ?? 0),
    );
}

export type FileUse = Readonly<{
  file: string;
  share_percent: number | null;
  cpu_percent: number;
  waiting_percent: number;
  /** Null where memory was not profiled. */
  memory_peak_mb: number | null;
  allocated_mb: number | null;
  lines_sampled: number;
}>;

export function fileUses(profile: ScaleneProfile): readonly FileUse[] {
  return profile.files.map(({ path, share_pct }) => {
    const lines = placedLines(profile).filter((line) => line.file === path);
    return {
      file: path,
      share_percent: round(share_pct),
      cpu_percent: total(lines, (line) => line.cpu_pct),
      waiting_percent: total(lines, (line) => line.waiting_pct),
      ...memoryOf(profile, lines),
      lines_sampled: lines.filter(isActive).length,
    };
  });
}

/** Whether anything was sampled on a line. */
export const isActive = (line: PlacedLine): boolean =>
  line.cpu_pct + (line.waiting_pct ?? 0) + (line.allocated_mb ?? 0) + (line.gpu_pct ?? 0) > 0;

function sumUp(profile: ScaleneProfile, lines: readonly PlacedLine[]): FunctionUse {
  const [first] = lines;
  return {
    function_name: first?.function_name ?? module_level,
    file: first?.file ?? '',
    start_line: first ? startOf(profile, first) : null,
    cpu_percent: total(lines, (line) => line.cpu_pct),
    python_percent: total(lines, (line) => line.python_pct),
    native_percent: total(lines, (line) => line.native_pct),
    waiting_percent: total(lines, (line) => line.waiting_pct),
    ...memoryOf(profile, lines),
    gpu_percent: profile.gpu_device === null ? null : total(lines, (line) => line.gpu_pct),
    line_count: lines.filter(isActive).length,
  };
}

function startOf(profile: ScaleneProfile, line: PlacedLine): number | null {
  if (line.function_line !== null) return line.function_line;
  const file: ScaleneFile | undefined = profile.files.find((each) => each.path === line.file);
  const above = file?.functions.filter(
    (each) => each.name === line.function_name && each.line <= line.line,
  );
  return (
    above?.reduce<number | null>((best, { line: at }) => Math.max(best ?? 0, at), null) ?? null
  );
}

const memoryOf = ({ memory }: ScaleneProfile, lines: readonly PlacedLine[]) => ({
  memory_peak_mb: memory ? peak(lines) : null,
  allocated_mb: memory ? total(lines, (line) => line.allocated_mb) : null,
});

const peak = (lines: readonly PlacedLine[]): number =>
  round(Math.max(0, ...lines.map((line) => line.peak_mb ?? 0))) ?? 0;

const total = (lines: readonly PlacedLine[], of: (line: PlacedLine) => number | null): number =>
  round(lines.reduce((sum, line) => sum + (of(line) ?? 0), 0)) ?? 0;
