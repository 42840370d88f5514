import type { Frame, StackProfile } from '../../src/profiles/stack-profile.ts';

type Given = Readonly<{ stack: string; weight: number; samples?: number; comm?: string | null }>;

/** A profile of stacks written as "outermost;…;innermost"; "name@module" and "name_[k]" are understood. */
export function profileOf(
  given: readonly Given[],
  parts: Partial<StackProfile> = {},
): StackProfile {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const frameOf = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const [plain = '', module = null] = text.replace('_[k]', '').split('@');
    const kind = text.endsWith('_[k]') ? 'kernel' : 'user';
    numbers.set(text, frames.length);
    return frames.push({ name: plain, module, kind }) - 1;
  };
  const stacks = given.map(({ stack, weight, samples = weight, comm = 'prog' }) => ({
    frames: stack === '' ? [] : stack.split(';').map(frameOf),
    comm,
    pid: 7,
    tid: 8,
    weight,
    samples,
  }));
  return {
    event: 'cpu-clock',
    unit: 'samples',
    frames,
    stacks,
    total: stacks.reduce((sum, { weight }) => sum + weight, 0),
    samples: stacks.reduce((sum, { samples }) => sum + samples, 0),
    period: null,
    duration_ms: 1000,
    lost: 0,
    warnings: [],
    ...parts,
  };
}

/** As many distinct stacks as asked for, the same ones each time. */
export function manyStacks(count: number): StackProfile {
  let state = 7;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const frames = Array.from({ length: 5000 }, (_each, number): Frame => {
    const name = `module_${number % 97}::function_${number}<argument>`.repeat(1 + (number % 5));
    return { name, module: number % 3 === 0 ? '/usr/lib/libone.so' : null, kind: 'user' };
  });
  const stacks = Array.from({ length: count }, (_each, index) => ({
    frames: [
      ...Array.from({ length: 5 + Math.floor(random() * 25) }, (_frame, depth) =>
        Math.floor(random() * random() * (depth < 4 ? 6 : 4000)),
      ),
      index % 5000,
    ],
    comm: `task_${index % 20}`,
    pid: 1,
    tid: 1,
    weight: 1 + Math.floor(random() * 100),
    samples: 1,
  }));
  const total = stacks.reduce((sum, { weight }) => sum + weight, 0);
  return { ...profileOf([]), frames, stacks, total, samples: stacks.length };
}
