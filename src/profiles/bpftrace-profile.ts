import { parseBpftraceLine } from '../../parsers/bpftrace-json/bpftrace-json.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { type StackTask, stackProfiles } from './profile-builder.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

/** What the values of the maps are: bpftrace does not say. */
export type BpftraceImport = Readonly<{ unit: StackProfile['unit'] }>;

/** A stack within a key: an empty line, frames on lines of their own, the end of the last of them. */
const stack_of_key = /\n(?:[ \t]+[^\n]*\n)*/g;
/** bpftrace 0.17 writes nothing at all for a stack without frames. */
const empty_first = /(?:^|,),\n/;
const offset = /\+(?:0x[0-9a-f]+|\d+)$/;

/**
 * Profiles out of what `bpftrace -f json` printed: one for each map whose keys hold stacks, with
 * other parts of the key as pid (the first number), tid (the second) and comm (the first word).
 *
 *     {"type": "map", "data": {"@": {"\n    schedule+35\n    do_nanosleep+102\n,sleep,412": 3}}}
 *
 * Of two stacks in a key the first is the kernel's, as in `@[kstack, ustack]`; of one alone the text
 * does not tell whose it is. Each entry counts as as many samples as its value where `unit` is
 * samples or count, and as one otherwise.
 */
export function bpftraceImport(text: string, { unit }: BpftraceImport): readonly StackProfile[] {
  const profiles = stackProfiles('tid');
  let lost = 0;
  for (const line of text.split('\n')) {
    const record = parseBpftraceLine(line);
    if (record?.type === 'lost_events') lost += record.events;
    if (record?.type !== 'map') continue;
    for (const [key, weight] of record.values) {
      const parts = partsOf(key);
      if (parts === null || !Number.isFinite(weight)) continue;
      const frames = parts.frames.map(profiles.frame);
      const stack = profiles.stack(Int32Array.from(frames), frames.length);
      profiles.add(record.name, { stack, task: profiles.task(parts.task), weight });
    }
  }
  const facts = { unit, period: null, duration_ms: null, lost, warnings: [] };
  const counted = unit === 'samples' || unit === 'count';
  return profiles.finish(() => facts).map((each) => (counted ? withCounts(each) : each));
}

function withCounts(profile: StackProfile): StackProfile {
  const stacks = profile.stacks.map((stack) => ({ ...stack, samples: stack.weight }));
  return { ...profile, stacks, samples: profile.total };
}

/** Frames innermost first, and whose they are; null where the key holds no stack. */
function partsOf(key: string): Readonly<{ frames: readonly Frame[]; task: StackTask }> | null {
  // bpftrace 0.23 writes the line ends of keys as the two characters \n.
  const text = key.replaceAll('\\n', '\n');
  const stacks = text.match(stack_of_key);
  if (!stacks) return null;
  const [first = '', second] = stacks;
  const frames =
    second === undefined
      ? framesOf(first, empty_first.test(text) ? 'user' : 'unknown')
      : [...framesOf(first, 'kernel'), ...framesOf(second, 'user')];
  const words = text
    .replaceAll(stack_of_key, '')
    .split(',')
    .filter((word) => word !== '');
  const [pid, tid] = words.filter((word) => /^\d+$/.test(word)).map(Number);
  const comm = words.find((word) => !/^-?\d+$/.test(word));
  const task = {
    comm: comm === undefined ? null : untrusted(comm, 64),
    pid: pid ?? null,
    tid: tid ?? null,
  };
  return { frames, task };
}

function framesOf(stack: string, kind: Frame['kind']): Frame[] {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const name = untrusted(line.replace(offset, ''));
      return { name: name.startsWith('0x') ? '[unknown]' : name, module: null, kind };
    });
}
