import { parseScalene, type ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { mustBeOf } from './capture-ids.ts';
import { isPartial, type Outcome } from './python-outcome.ts';
import { type PythonSource, snippet_name } from './python-program.ts';
import type { PythonOptions, PythonRun } from './python-run.ts';
import { lastLines } from './text-ends.ts';

/** What is kept of a run beside Scalene's own file. */
export type RunRecord = Readonly<{
  /** What was run, to run it again. */
  source: PythonSource;
  program: string;
  args: readonly string[];
  outcome: Outcome;
  partial: boolean;
  exit_code: number | null;
  signal: string | null;
  wall_s: number;
  scalene_version: string;
  run_as_uid: number | null;
  memory_profiled: boolean;
  stdout_bytes: number;
  stderr_bytes: number;
  last_stdout: readonly string[];
  last_stderr: readonly string[];
  view: ViewOptions;
  warnings: readonly string[];
}>;

/** Options that Scalene takes and ignores in JSON: ours apply them when a profile is read. */
export type ViewOptions = Readonly<{
  cpu: boolean;
  cpu_percent_threshold: number;
  malloc_threshold: number;
  reduced_profile: boolean;
  memory_leak_detector: boolean;
}>;

export type StoredProfile = Readonly<{
  profile_id: string;
  created_at: string;
  run: RunRecord;
  profile: ScaleneProfile;
}>;

const kind = 'python';

/** Keeps a run; its id finds it again until it expires, in another server too. */
export async function keepProfile(
  ctx: Context,
  run: PythonRun,
  options: PythonOptions,
  view: ViewOptions,
): Promise<StoredProfile> {
  const record: RunRecord = {
    source: run.source,
    program: run.title,
    args: options.args,
    outcome: run.outcome,
    partial: isPartial(run.outcome),
    exit_code: run.exit_code,
    signal: run.signal,
    wall_s: run.wall_s,
    scalene_version: run.version,
    run_as_uid: run.user,
    memory_profiled: run.memory,
    stdout_bytes: run.stdout.bytes,
    stderr_bytes: run.stderr.bytes,
    last_stdout: lastLines(run.stdout, 5),
    last_stderr: lastLines(run.stderr, 5),
    view,
    warnings: run.warnings,
  };
  const { id, created_at } = await ctx.captures.save(kind, run.title, {
    'profile.json': run.raw,
    'run.json': JSON.stringify(record),
  });
  return { profile_id: id, created_at, run: record, profile: withPlainNames(run.profile) };
}

/** INVALID_PARAMS lists the ids there are. */
export function loadProfile(ctx: Context, profile_id: string): StoredProfile {
  const run = ctx.captures.read(kind, profile_id, 'run.json');
  const raw = ctx.captures.read(kind, profile_id, 'profile.json');
  const profile = raw === null ? null : parseScalene(raw);
  const manifest = ctx.captures.list(kind).find((each) => each.id === profile_id);
  if (run === null || profile === null || !manifest) {
    mustBeOf('python', profile_id);
    throw unknownProfile(ctx, profile_id);
  }
  // Written by keepProfile, into a folder that is ours alone.
  const record = JSON.parse(run) as RunRecord;
  return {
    profile_id,
    created_at: manifest.created_at,
    run: record,
    profile: withPlainNames(profile),
  };
}

export const listProfiles = (ctx: Context) => ctx.captures.list(kind);

export const forgetProfile = (ctx: Context, profile_id: string): void => {
  if (!ctx.captures.remove(kind, profile_id)) throw unknownProfile(ctx, profile_id);
};

/** A text that was run lay in a folder that is gone: only its name is shown. */
function withPlainNames(profile: ScaleneProfile): ScaleneProfile {
  const plain = (path: string): string =>
    path.includes('/tracewright-') && path.endsWith(`/run/${snippet_name}`) ? snippet_name : path;
  return {
    ...profile,
    program: profile.program === null ? null : plain(profile.program),
    files: profile.files.map((file) => ({ ...file, path: plain(file.path) })),
    stacks: profile.stacks.map((stack) => ({
      ...stack,
      frames: stack.frames.map((frame) => ({ ...frame, file: plain(frame.file) })),
    })),
  };
}

function unknownProfile(ctx: Context, profile_id: string): TracewrightError {
  const ids = listProfiles(ctx).map((each) => each.id);
  const some = ids.slice(0, 5).join(', ');
  return new TracewrightError(
    'INVALID_PARAMS',
    `There is no profile "${profile_id.slice(0, 60)}".`,
    ids.length === 0
      ? 'Make one with profile_script or profile_code.'
      : `Newest: ${some}. All: list_profiles.`,
  );
}
