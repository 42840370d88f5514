import type { Call, Context } from '../context.ts';
import { canceled } from './python-outcome.ts';
import { keepProfile, type ViewOptions } from './python-profiles.ts';
import type { PythonSource } from './python-program.ts';
import { type PythonOptions, runPython } from './python-run.ts';
import { profileInWords, profileSummary, recommendations } from './python-summary.ts';
import { pythonNotes } from './python-views.ts';

/** Arguments of the two tools that run a program. */
export type ProfileArguments = Readonly<{
  args: readonly string[];
  memory: boolean;
  gpu: boolean;
  cpu: boolean;
  cpu_only: boolean;
  stacks: boolean;
  cpu_sampling_rate: number;
  cpu_percent_threshold?: number | undefined;
  malloc_threshold?: number | undefined;
  profile_only: string;
  profile_exclude: string;
  profile_all: boolean;
  reduced_profile: boolean;
  use_virtual_time: boolean;
  memory_leak_detector: boolean;
  allocation_sampling_window?: number | undefined;
  timeout?: number | undefined;
}>;

/** Runs a program under Scalene, keeps its profile and tells the main points of it. */
export async function profilePython(
  ctx: Context,
  source: PythonSource,
  given: ProfileArguments,
  usual_timeout_s: number,
  call: Call,
) {
  const options = runOptions(ctx, given, usual_timeout_s);
  const stored = await keepProfile(
    ctx,
    await runPython(ctx, source, options, call),
    options,
    viewOf(ctx, given),
  );
  if (stored.run.outcome === 'canceled') throw canceled(stored.profile_id);
  const words = profileInWords(stored);
  const advice = recommendations(stored.profile).slice(0, 3);
  return {
    data: {
      profile_id: stored.profile_id,
      summary: profileSummary(stored),
      text_summary: [...words, ...advice].join('\n'),
      program_output: {
        stdout_bytes: stored.run.stdout_bytes,
        stderr_bytes: stored.run.stderr_bytes,
        last_stdout: stored.run.last_stdout,
        last_stderr: stored.run.last_stderr,
      },
    },
    summary: [...words, ...advice, `Kept as ${stored.profile_id}: analyze_profile tells more.`],
    source: `Scalene ${stored.run.scalene_version}`,
    window_ms: Math.round(stored.run.wall_s * 1000),
    warnings: stored.run.warnings,
    unavailable: pythonNotes(stored),
  };
}

function runOptions(ctx: Context, given: ProfileArguments, usual_timeout_s: number): PythonOptions {
  return {
    args: given.args,
    memory: given.memory && !given.cpu_only,
    gpu: given.gpu && !given.cpu_only,
    stacks: given.stacks,
    cpu_sampling_rate: given.cpu_sampling_rate,
    allocation_window_bytes: given.allocation_sampling_window ?? null,
    profile_only: given.profile_only,
    profile_exclude: given.profile_exclude,
    profile_all: given.profile_all,
    use_virtual_time: given.use_virtual_time,
    timeout_s: given.timeout ?? ctx.python.timeout_s ?? usual_timeout_s,
  };
}

/** Documented defaults; the operator's environment stands between them and the call. */
function viewOf(ctx: Context, given: ProfileArguments): ViewOptions {
  return {
    cpu: given.cpu,
    cpu_percent_threshold: given.cpu_percent_threshold ?? ctx.python.cpu_percent_threshold ?? 1,
    malloc_threshold: given.malloc_threshold ?? ctx.python.malloc_threshold ?? 100,
    reduced_profile: given.reduced_profile,
    memory_leak_detector: given.memory_leak_detector,
  };
}
