import { parseFolded } from '../../parsers/folded/folded.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { type StackTask, stackProfiles } from './profile-builder.ts';
import type { Frame, FrameKind, StackProfile } from './stack-profile.ts';

export type FoldedImport = Readonly<{
  /** What the counts are of: folded text does not say. */
  event?: string;
  unit?: StackProfile['unit'];
  /** Whether the first name is that of the process, as the stackcollapse programs write. */
  first: 'comm' | 'frame';
}>;

/** As in parsers/perf-script: names of C++ templates are long. */
const longest_name = 4096;
const annotated = /_\[([kji])\]$/;
const kinds: Readonly<Record<string, FrameKind>> = { k: 'kernel', j: 'jit', i: 'inlined' };
/** "java-?/1240" and "java-1234/1240" with --tid, "java-1234" with --pid. */
const with_ids = /^(.*)-(\d+|\?)(?:\/(\d+))?$/s;

/**
 * A profile out of folded stacks. Kinds of frames are known where names end in `_[k]`, `_[j]` or
 * `_[i]`; `[libc.so.6]` stands for an unnamed function of that file. The lines count as one sample
 * each where their counts are none of samples.
 */
export function foldedImport(text: string, options: FoldedImport): StackProfile {
  const { event = 'samples', unit = 'samples', first } = options;
  const { data, warnings } = parseFolded(text);
  const profiles = stackProfiles('tid');
  const hasIds = data.length > 0 && data.every(({ names: [name = ''] }) => with_ids.test(name));
  const nobody: StackTask = { comm: null, pid: null, tid: null };
  for (const { names, weight } of data) {
    const own = first === 'comm' ? names.slice(1) : names;
    const task = first === 'comm' ? taskOf(names[0] ?? '', hasIds) : nobody;
    const frames = own.map((name) => profiles.frame(frameOf(name))).reverse();
    profiles.add(event, {
      stack: profiles.stack(Int32Array.from(frames), frames.length),
      task: profiles.task(task),
      weight,
    });
  }
  const facts = {
    unit,
    period: null,
    duration_ms: null,
    lost: 0,
    warnings: warnings.map(({ line, reason }) => `line ${line}: ${reason}.`),
  };
  const [profile] = profiles.finish(() => facts);
  if (!profile) return { ...facts, event, frames: [], stacks: [], total: 0, samples: 0 };
  return unit === 'samples' ? countedSamples(profile) : profile;
}

/** Where samples were counted, the counts are the samples. */
function countedSamples(profile: StackProfile): StackProfile {
  const stacks = profile.stacks.map((stack) => ({ ...stack, samples: stack.weight }));
  return { ...profile, stacks, samples: profile.total };
}

function taskOf(name: string, hasIds: boolean): StackTask {
  const [, comm, pid, tid] = (hasIds ? with_ids.exec(name) : null) ?? [];
  if (comm === undefined) return { comm: untrusted(name, 64), pid: null, tid: null };
  return { comm: untrusted(comm, 64), pid: idOf(pid), tid: idOf(tid) };
}

const idOf = (text: string | undefined): number | null =>
  text === undefined || text === '?' ? null : Number(text);

function frameOf(text: string): Frame {
  const [, letter = ''] = annotated.exec(text) ?? [];
  const name = untrusted(text.replace(annotated, ''), longest_name) || '[unknown]';
  const [, module = null] = /^\[(.+)\]$/.exec(name) ?? [];
  if (module === 'unknown') return { name, module: null, kind: kinds[letter] ?? 'unknown' };
  if (module !== null) return { name: '[unknown]', module, kind: kinds[letter] ?? 'user' };
  return { name, module: null, kind: kinds[letter] ?? 'unknown' };
}
