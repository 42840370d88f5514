import { TracewrightError } from '../errors.ts';

type Kind = 'profile' | 'python' | 'recording';

const kinds: Readonly<Record<Kind, Readonly<{ called: string; taken(id: string): string }>>> = {
  profile: {
    called: 'a profile of functions',
    taken: (id) => `profile_view with capture=${id}.`,
  },
  python: {
    called: 'a profile of a Python program',
    taken: (id) => `analyze_profile or get_profile with profile_id=${id}.`,
  },
  recording: {
    called: 'a recording',
    taken: (id) => `read_resource with uri=captures://recording?id=${id}.`,
  },
};

/** The capture id in a text: itself, or that of a link to one of its views. */
export function captureIdIn(text: string): string {
  const [, id] = /^profiling:\/\/captures\/(\w+)(?:\/|$)/.exec(text) ?? [];
  return id ?? text;
}

/** An id of a capture of another kind is INVALID_PARAMS that names the call which takes it. */
export function mustBeOf(wanted: Kind, id: string): void {
  const [, name] = /^(profile|python|recording)_[0-9a-z]{8,24}$/.exec(id) ?? [];
  if (name !== 'profile' && name !== 'python' && name !== 'recording') return;
  if (name === wanted) return;
  const { called, taken } = kinds[name];
  throw new TracewrightError('INVALID_PARAMS', `${id} is ${called}.`, taken(id));
}
