import type { ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import { fileUses, functionUses } from '../analysis/python-functions.ts';
import { hotspots, round, waits } from '../analysis/python-hotspots.ts';
import { placedLines } from '../analysis/python-lines.ts';
import type { StoredProfile } from './python-profiles.ts';
import { shownHotspots } from './python-shown.ts';

/** The documented summary of a profile, every figure measured or null. */
export function profileSummary(stored: StoredProfile) {
  const { profile_id, created_at, profile, run } = stored;
  const lines = placedLines(profile);
  const sum = (of: (line: (typeof lines)[number]) => number | null): number =>
    round(lines.reduce((total, line) => total + (of(line) ?? 0), 0)) ?? 0;
  const samples = lines.flatMap((line) => line.cpu_samples ?? []);
  // Below one sampling window allocations are invisible: that is not the same as none.
  const memory = run.memory_profiled && (profile.max_footprint_mb ?? 0) > 0;
  const top = (type: 'cpu' | 'memory') =>
    shownHotspots(stored, type)
      .slice(0, 5)
      .map(({ filename, lineno, line, cpu_percent, memory_mb, function_name }) => ({
        filename,
        lineno,
        line,
        function_name,
        ...(type === 'cpu' ? { cpu_percent } : { memory_mb }),
      }));
  return {
    profile_id,
    timestamp: Date.parse(created_at) / 1000,
    program: run.program,
    outcome: run.outcome,
    partial: run.partial,
    exit_code: run.exit_code,
    scalene_version: run.scalene_version,
    elapsed_time_sec: round(profile.elapsed_s, 3),
    wall_time_sec: round(run.wall_s, 3),
    max_memory_mb: memory ? round(profile.max_footprint_mb) : null,
    total_allocations_mb: memory ? sum((line) => line.allocated_mb) : null,
    allocation_count: memory ? sum((line) => line.sampled_allocations) : null,
    total_cpu_samples: samples.length === 0 ? null : samples.reduce((a, b) => a + b, 0),
    python_time_percent: sum((line) => line.python_pct),
    native_time_percent: sum((line) => line.native_pct),
    /** Documented name; it is time off the CPU, not time in the kernel. */
    system_time_percent: sum((line) => line.waiting_pct),
    waiting_time_percent: sum((line) => line.waiting_pct),
    gpu_enabled: profile.gpu_device !== null,
    gpu_utilization_percent: profile.gpu_device === null ? null : sum((line) => line.gpu_pct),
    files_profiled: profile.files.map((file) => file.path),
    lines_profiled: lines.length,
    top_cpu_hotspots: top('cpu'),
    top_memory_hotspots: memory ? top('memory') : [],
    detected_leaks: leakRows(profile).slice(0, 10),
    has_memory_leaks: leakRows(profile).length > 0,
    has_performance_issues: hotspots(profile, 'cpu', 20).length > 0,
    recommendations_count: recommendations(profile).length,
  };
}

/** Scalene's own verdicts, likeliest first. */
export function leakRows(profile: ScaleneProfile) {
  return profile.files
    .flatMap((file) =>
      file.leaks.map((leak) => ({
        filename: file.path,
        lineno: leak.line,
        line: file.lines.find((each) => each.line === leak.line)?.source.trim() ?? '',
        likelihood: round(leak.likelihood, 3),
        velocity_mb_s: round(leak.velocity_mb_per_s, 3),
      })),
    )
    .sort((a, b) => (b.likelihood ?? 0) - (a.likelihood ?? 0));
}

/** What to try, dearest first: rule, figure, place. */
export function recommendations(profile: ScaleneProfile): string[] {
  const advised = [...hotspots(profile, 'cpu', 5), ...hotspots(profile, 'memory', 10)]
    .filter((each) => each.recommendation !== null)
    .slice(0, 8)
    .map((each) => `${each.filename}:${each.lineno} (${each.evidence}): ${each.recommendation}`);
  const waiting = waits(profile, 20)
    .slice(0, 2)
    .map(
      (line) =>
        `${line.file}:${line.line} waits ${round(line.waiting_pct, 1)} % of the run: overlap it with other work.`,
    );
  return [...advised, ...waiting];
}

/** The profile as a person would tell it. */
export function profileInWords(stored: StoredProfile): string[] {
  const { profile, run } = stored;
  const [hot] = functionUses(profile);
  const [line] = hotspots(profile, 'cpu');
  const [waiting] = waits(profile, 10);
  const outcome = {
    completed: 'completed',
    program_failed: `failed with exit code ${run.exit_code}`,
    exited_with_code: `exited with code ${run.exit_code ?? run.signal}`,
    timed_out: 'was stopped at its time limit: the profile is partial',
    output_limit: 'was stopped because it printed too much: the profile is partial',
    canceled: 'was stopped by the caller: the profile is partial',
  }[run.outcome];
  const peak =
    run.memory_profiled && profile.max_footprint_mb
      ? ` It allocated up to ${round(profile.max_footprint_mb, 1)} MB at once.`
      : '';
  return [
    `${run.program} ${outcome} after ${round(profile.elapsed_s, 2)} s (Scalene ${run.scalene_version}).${peak}`,
    ...(hot
      ? [
          `Most CPU time: ${hot.function_name} of ${hot.file}, ${hot.cpu_percent} % of the run (${hot.python_percent} Python, ${hot.native_percent} native).`,
        ]
      : ['No CPU time was sampled.']),
    ...(line ? [`Hottest line: ${line.filename}:${line.lineno}  ${line.line}`] : []),
    ...(waiting
      ? [
          `It waits ${round(waiting.waiting_pct, 1)} % of the run at ${waiting.file}:${waiting.line}.`,
        ]
      : []),
    ...(fileUses(profile).length > 1 ? [`${fileUses(profile).length} files took part.`] : []),
  ];
}
