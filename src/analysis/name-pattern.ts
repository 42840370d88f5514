/** Says whether a name fits. */
export type NamePattern = (name: string) => boolean;

/** What a pattern cannot be, in words for whoever wrote it. */
export class BadPattern extends Error {
  override readonly name = 'BadPattern';
}

type Take = (code: number) => boolean;

/** Where in the name a step stands. */
type Place = Readonly<{ first: boolean; last: boolean }>;

/**
 * One step: take a character that fits, or go on, taking none, at steps so far from here. Where it
 * goes can depend on the place in the name: `^` goes on at its begin only.
 */
type Step = Readonly<{ take: Take } | { go: (place: Place) => readonly number[] }>;

const max_length = 128;

/** Work that one pattern may cause over all the names it is tried on: a fraction of a second. */
const max_work = 2_000_000;

/**
 * A case-insensitive regular expression that is searched in a name: literals, `.`, `[a-z]`, `[^a]`,
 * `\d \w \s`, `*`, `+`, `?`, `|`, groups, `^` and `$`. No counts, look-arounds or back references.
 *
 * It comes from a request, and the engine of JavaScript can need longer than the universe for one.
 * This one follows all ways at once and remembers the sets of ways that it has met, so that most
 * characters cost one look-up. Throws BadPattern, later too, where a pattern has too many such sets.
 */
export function namePattern(source: string): NamePattern {
  if (source.length > max_length) throw new BadPattern(`longer than ${max_length} characters`);
  if (/^[\w:-]*$/.test(source)) {
    const wanted = source.toLowerCase();
    return (name) => name.toLowerCase().includes(wanted);
  }
  const reader = { source, at: 0 };
  const steps = alternatives(reader);
  if (reader.at < source.length) throw new BadPattern('")" without "("');
  return searcher(steps);
}

/** All the ways that a match can have got so far. */
type State = Readonly<{
  /** Whether one of them is a match here, and where the name ends here. */
  matches: boolean;
  matchesAtEnd: boolean;
  /** The steps that wait for a character. */
  waiting: readonly number[];
  /** State after each character that was met, by its code. */
  after: (State | undefined)[];
}>;

function searcher(steps: readonly Step[]): NamePattern {
  const states = new Map<string, State>();
  let work = 0;

  function stateOf(from: readonly number[], first: boolean): State {
    const key = `${first} ${from.join()}`;
    const known = states.get(key);
    if (known) return known;
    const here = reach(steps, from, { first, last: false });
    const atEnd = reach(steps, from, { first, last: true });
    work += here.size + atEnd.size;
    const waiting = [...here].filter((step) => 'take' in (steps[step] ?? {}));
    const matches = here.has(steps.length);
    const state = { matches, matchesAtEnd: atEnd.has(steps.length), waiting, after: [] };
    states.set(key, state);
    return state;
  }

  function step(state: State, code: number): State {
    work += state.waiting.length;
    if (work > max_work) throw new BadPattern('too many ways to match; make it simpler');
    const on = state.waiting.flatMap((each) => (takes(steps[each], code) ? [each + 1] : []));
    // A match may begin anywhere, so the first step is tried after each character.
    const next = stateOf([...on, 0], false);
    state.after[code] = next;
    return next;
  }

  const begin = stateOf([0], true);
  return (name) => {
    let state = begin;
    const text = name.toLowerCase();
    for (let at = 0; at < text.length && !state.matches; at++) {
      const code = text.charCodeAt(at);
      state = state.after[code] ?? step(state, code);
    }
    return state.matches || state.matchesAtEnd;
  };
}

/** Where one gets from these steps without taking a character, each step once. */
function reach(steps: readonly Step[], from: readonly number[], place: Place): ReadonlySet<number> {
  // A set that grows while it is walked through.
  const reached = new Set(from);
  for (const step of reached) {
    const what = steps[step];
    if (!what || 'take' in what) continue;
    for (const distance of what.go(place)) reached.add(step + distance);
  }
  return reached;
}

const takes = (step: Step | undefined, code: number): boolean =>
  step !== undefined && 'take' in step && step.take(code);

type Reader = { readonly source: string; at: number };

const go = (...distances: readonly number[]): Step => ({ go: () => distances });

const peek = ({ source, at }: Reader): string => source.charAt(at);

function next(reader: Reader): string {
  const char = reader.source.charAt(reader.at);
  reader.at++;
  return char;
}

function alternatives(reader: Reader): Step[] {
  const first = sequence(reader);
  if (peek(reader) !== '|') return first;
  next(reader);
  const second = alternatives(reader);
  return [go(1, first.length + 2), ...first, go(second.length + 1), ...second];
}

function sequence(reader: Reader): Step[] {
  const steps: Step[] = [];
  while (!['', '|', ')'].includes(peek(reader))) steps.push(...repeated(reader));
  return steps;
}

function repeated(reader: Reader): Step[] {
  const steps = atom(reader);
  const sign = peek(reader);
  if (sign === '{') throw new BadPattern('counts in braces are not taken; write it out');
  if (!'*+?'.includes(sign) || sign === '') return steps;
  next(reader);
  // "*?" asks for the shortest match: whether there is one is the same.
  if (peek(reader) === '?') next(reader);
  const { length } = steps;
  if (sign === '+') return [...steps, go(-length, 1)];
  if (sign === '?') return [go(1, length + 1), ...steps];
  return [go(1, length + 2), ...steps, go(-length - 1)];
}

function atom(reader: Reader): Step[] {
  const char = next(reader);
  switch (char) {
    case '(':
      return group(reader);
    case '[':
      return [{ take: charClass(reader) }];
    case '.':
      return [{ take: () => true }];
    case '^':
      return [{ go: ({ first }) => (first ? [1] : []) }];
    case '$':
      return [{ go: ({ last }) => (last ? [1] : []) }];
    case '\\':
      return [{ take: escaped(reader) }];
    case '*':
    case '+':
    case '?':
      throw new BadPattern(`"${char}" has nothing to repeat`);
    default:
      return [{ take: equals(char) }];
  }
}

function group(reader: Reader): Step[] {
  if (peek(reader) === '?') {
    next(reader);
    if (next(reader) !== ':') throw new BadPattern('"(?" is taken as "(?:" only');
  }
  const steps = alternatives(reader);
  if (next(reader) !== ')') throw new BadPattern('"(" without ")"');
  return steps;
}

const codeOf = (char: string): number => char.toLowerCase().charCodeAt(0);

function equals(char: string): Take {
  const wanted = codeOf(char);
  return (code) => code === wanted;
}

/** Names are compared in lower case, so only small letters count here. */
const sets: Readonly<Record<string, RegExp>> = { d: /\d/, w: /\w/, s: /\s/ };

function escaped(reader: Reader): Take {
  const char = next(reader);
  const set = sets[char.toLowerCase()];
  if (set && char !== '') {
    const inside = char === char.toLowerCase();
    return (code) => set.test(String.fromCharCode(code)) === inside;
  }
  if (/^[a-z0-9]?$/i.test(char)) throw new BadPattern(`"\\${char}" is not taken`);
  return equals(char);
}

function charClass(reader: Reader): Take {
  const inside = peek(reader) !== '^';
  if (!inside) next(reader);
  const parts: Take[] = [];
  while (peek(reader) !== ']') {
    if (peek(reader) === '') throw new BadPattern('"[" without "]"');
    parts.push(classPart(reader));
  }
  next(reader);
  return (code) => parts.some((part) => part(code)) === inside;
}

function classPart(reader: Reader): Take {
  const from = next(reader);
  if (from === '\\') return escaped(reader);
  const range = /^-[^\]\\]/.test(reader.source.slice(reader.at, reader.at + 2));
  if (!range) return equals(from);
  next(reader);
  const [low, high] = [codeOf(from), codeOf(next(reader))];
  if (low > high) throw new BadPattern('a range whose end comes before its begin');
  return (code) => code >= low && code <= high;
}
