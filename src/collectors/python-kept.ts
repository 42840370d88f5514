import { type Profile, profileBuilder } from '../analysis/profile.ts';
import { fileUses } from '../analysis/python-functions.ts';
import type { Context } from '../context.ts';
import { cut, page } from '../page.ts';
import { collapsedStacks } from './cpu-profile-figures.ts';
import { forgetProfile, listProfiles, loadProfile, type StoredProfile } from './python-profiles.ts';
import { profileInWords, profileSummary } from './python-summary.ts';
import { pythonNotes } from './python-views.ts';

/** The kept profiles, newest first. */
export function listKept(ctx: Context, query: Readonly<{ limit: number; offset: number }>) {
  const part = page(listProfiles(ctx), query);
  const details = part.rows.map(({ id, title, created_at, bytes }) => ({
    profile_id: id,
    program: title,
    created_at,
    bytes,
  }));
  return {
    data: { profiles: details.map((each) => each.profile_id), details },
    ...cut(part, `list_profiles with offset=${part.next_offset}`),
    source: ctx.captures.folder,
    summary: [
      details.length === 0
        ? 'No profile is kept: make one with profile_script or profile_code.'
        : `${part.total} profiles are kept; newest ${details[0]?.profile_id} of ${details[0]?.program}.`,
    ],
  };
}

type Query = Readonly<{
  profile_id: string;
  include: 'summary' | 'stacks' | 'collapsed';
  delete: boolean;
}>;

const most_stacks = 40;

/** How a profile was made, and its summary; with its stacks where they were asked for. */
export function readKept(ctx: Context, query: Query) {
  const stored = loadProfile(ctx, query.profile_id);
  const { run, profile, created_at } = stored;
  if (query.delete) forgetProfile(ctx, query.profile_id);
  const stacks = profile.stacks
    .toSorted((a, b) => b.samples - a.samples)
    .slice(0, most_stacks)
    .map(({ frames, samples }) => ({
      samples,
      frames: frames.map((frame) => `${frame.function} (${frame.file}:${frame.line})`),
    }));
  const { view, source, ...how } = run;
  return {
    data: {
      profile_id: query.profile_id,
      created_at,
      run: { ...how, source: source.kind, options: view },
      summary: profileSummary(stored),
      files: fileUses(profile).slice(0, 50),
      ...(query.include === 'stacks' ? { stacks } : {}),
      ...(query.include === 'collapsed' ? collapsedStacks(asProfile(stored)) : {}),
      ...(query.delete ? { deleted: true } : {}),
    },
    source: `Scalene ${run.scalene_version}`,
    window_ms: Math.round(run.wall_s * 1000),
    warnings: run.warnings,
    unavailable: [
      ...pythonNotes(stored),
      ...(query.include !== 'summary' && stacks.length === 0
        ? [{ what: 'stacks', reason: 'None were collected.', fix: 'Profile with stacks=true.' }]
        : []),
    ],
    summary: profileInWords(stored),
  };
}

/** The stacks in the form that the views of all profiles read. */
function asProfile({ profile, run }: StoredProfile): Profile {
  const builder = profileBuilder();
  const comm = run.program.slice(run.program.lastIndexOf('/') + 1);
  const process = builder.process({ pid: 0, tid: 0, comm });
  for (const { frames, samples } of profile.stacks) {
    const symbols = frames.map((frame) =>
      builder.symbol({
        symbol: `${frame.function} (${frame.file}:${frame.line})`,
        module: frame.file,
        is_kernel: false,
        address: '0x0',
      }),
    );
    const stack = Int32Array.from(symbols.reverse());
    builder.add({
      process,
      stack: builder.stack(stack, stack.length),
      cpu: null,
      weight: samples,
    });
  }
  return builder.finish();
}
