import type { PythonStack } from '../../parsers/python-stack.ts';

/** A line, or a function where lines are not known, with its share of the samples. */
export type PythonPlace = Readonly<{
  function_name: string;
  file: string;
  line: number | null;
  /** It was running itself; it or what it called was running. */
  self_percent: number;
  total_percent: number;
}>;

export type PythonStacks = Readonly<{
  samples: number;
  lines: readonly PythonPlace[];
  /** Outermost first, heaviest stack first. */
  stacks: readonly Readonly<{ stack: readonly string[]; percent: number }>[];
}>;

const most_lines = 20;
const most_stacks = 5;
const most_frames = 30;

/** Where the samples of Python stacks fall, dearest line first. */
export function pythonStacks(stacks: readonly PythonStack[]): PythonStacks {
  const samples = stacks.reduce((sum, each) => sum + each.samples, 0);
  const percent = (count: number): number =>
    samples === 0 ? 0 : Math.round((count / samples) * 1000) / 10;
  const heaviest = stacks.toSorted((a, b) => b.samples - a.samples).slice(0, most_stacks);
  return {
    samples,
    lines: placesOf(stacks)
      .sort((a, b) => b.self - a.self || b.total - a.total)
      .slice(0, most_lines)
      .map(({ frame, self, total }) => ({
        ...frame,
        self_percent: percent(self),
        total_percent: percent(total),
      })),
    stacks: heaviest.map(({ frames, samples: count }) => ({
      stack: frames.slice(-most_frames).map(inWords),
      percent: percent(count),
    })),
  };
}

type Frame = PythonStack['frames'][number];
type Place = { frame: Frame; self: number; total: number };

function placesOf(stacks: readonly PythonStack[]): Place[] {
  const places = new Map<string, Place>();
  for (const { frames, samples } of stacks) {
    // A recursive function is several times on one stack, and was sampled once.
    const keys = new Map(frames.map((frame) => [inWords(frame), frame]));
    for (const [key, frame] of keys) {
      const place = places.get(key) ?? { frame, self: 0, total: 0 };
      place.total += samples;
      places.set(key, place);
    }
    const innermost = frames.at(-1);
    const leaf = innermost && places.get(inWords(innermost));
    if (leaf) leaf.self += samples;
  }
  return [...places.values()];
}

const inWords = ({ function_name, file, line }: Frame): string =>
  `${function_name} (${file}${line === null ? '' : `:${line}`})`;
