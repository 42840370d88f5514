import { fileUses, functionUses, isActive } from '../analysis/python-functions.ts';
import { round } from '../analysis/python-hotspots.ts';
import { type PlacedLine, placedLines } from '../analysis/python-lines.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import { loadProfile, type StoredProfile } from './python-profiles.ts';
import { isHighActivity } from './python-shown.ts';

type Query = Readonly<{
  profile_id: string;
  filename: string;
  all_lines: boolean;
  context: number;
  limit: number;
  offset: number;
}>;

/** One file, line by line: those on which something was sampled, with a few around each. */
export function readFileDetails(ctx: Context, query: Query) {
  const stored = loadProfile(ctx, query.profile_id);
  const filename = findFile(stored, query.filename);
  const lines = placedLines(stored.profile).filter((line) => line.file === filename);
  const active = lines.filter(isActive).map((line) => line.line);
  const near = (line: PlacedLine): boolean =>
    active.some((at) => Math.abs(at - line.line) <= query.context);
  const { view } = stored.run;
  const wanted = (line: PlacedLine): boolean =>
    view.reduced_profile ? isHighActivity(line, view) : query.all_lines || near(line);
  const part = page(lines.filter(wanted), query);
  const use = fileUses(stored.profile).find((each) => each.file === filename);
  const leaks = stored.profile.files.find((file) => file.path === filename)?.leaks ?? [];
  const functions = functionUses(stored.profile).filter((each) => each.file === filename);
  return {
    data: {
      profile_id: query.profile_id,
      filename,
      total_cpu_percent: use?.cpu_percent ?? 0,
      total_waiting_percent: use?.waiting_percent ?? 0,
      memory_peak_mb: stored.run.memory_profiled ? (use?.memory_peak_mb ?? null) : null,
      functions: functions.map((each) => ({
        name: each.function_name,
        first_lineno: each.start_line,
        total_cpu_percent: each.cpu_percent,
        total_memory_mb: each.memory_peak_mb,
      })),
      lines: part.rows.map(lineRow),
      leaks,
    },
    ...cut(part, `get_file_details with offset=${part.next_offset}`),
    source: `Scalene ${stored.run.scalene_version}`,
    window_ms: Math.round(stored.run.wall_s * 1000),
    summary: [
      `${filename}: ${use?.cpu_percent ?? 0} % of the run on a CPU, ${use?.waiting_percent ?? 0} % waiting.`,
      `${active.length} of ${lines.length} lines were sampled.`,
    ],
  };
}

/** Columns that are nothing on a line are left out of it. */
function lineRow(line: PlacedLine) {
  const columns = {
    cpu_percent_python: round(line.python_pct),
    cpu_percent_c: round(line.native_pct),
    cpu_percent_system: round(line.waiting_pct),
    gpu_percent: round(line.gpu_pct),
    memory_peak_mb: round(line.peak_mb),
    memory_average_mb: round(line.average_mb),
    memory_alloc_mb: round(line.allocated_mb),
    memory_alloc_count: line.sampled_allocations,
    copied_mb_per_s: round(line.copied_mb_per_s),
    core_utilization: round(line.core_utilization_pct),
  };
  const known = Object.entries(columns).filter(([, value]) => value !== null && value !== 0);
  return {
    lineno: line.line,
    line: line.source,
    ...(isActive(line) ? { function_name: line.function_name, loop: line.loop } : {}),
    ...(isActive(line) ? Object.fromEntries(known) : {}),
  };
}

/** The whole path, its end, or its last part; several that fit are named. */
function findFile({ profile }: StoredProfile, asked: string): string {
  const paths = profile.files.map((file) => file.path);
  if (paths.includes(asked)) return asked;
  const fitting = paths.filter((path) => path.endsWith(`/${asked.replace(/^\.?\//, '')}`));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  throw new TracewrightError(
    'INVALID_PARAMS',
    fitting.length > 1
      ? `"${asked.slice(0, 100)}" is the end of ${fitting.length} files.`
      : `The profile has no file "${asked.slice(0, 100)}".`,
    `Choose from: ${(fitting.length > 1 ? fitting : paths).slice(0, 20).join(', ')}.`,
  );
}
