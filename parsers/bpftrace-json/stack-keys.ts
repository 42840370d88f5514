/** Frames innermost first. */
export type Stacks = Readonly<{ kernel: readonly string[]; user: readonly string[] }>;

/**
 * The stacks at the end of a key, as bpftrace prints kstack and ustack: each frame on a line of its own,
 * a comma between the two. bpftrace 0.23 writes the line ends of keys as the two characters \n, and an
 * empty stack as one of them.
 *
 *     "\n    __schedule+1560\n    schedule+35\n,\n    clock_nanosleep+101\n    0x56062a4522c0\n"
 *     ",\n    0x562fd784f0e9\n"
 */
export function readStacks(text: string): Stacks {
  const [kernel = '', ...user] = withLineEnds(text).split(/(?<=^|\n),(?=\n|$)/);
  return { kernel: readFrames(kernel), user: readFrames(user.join(',')) };
}

/** One stack, without the offsets into the functions. */
export function readFrames(text: string): readonly string[] {
  return withLineEnds(text)
    .split('\n')
    .map((line) => line.trim().replace(/\+\d+$/, ''))
    .filter((line) => line !== '');
}

const withLineEnds = (text: string): string => text.replaceAll('\\n', '\n');

/** By pid, of counts by "pid,comm": the name with the highest. */
export function readNames(counts: ReadonlyMap<string, number>): ReadonlyMap<number, string> {
  const best = new Map<number, Readonly<{ comm: string; count: number }>>();
  for (const [key, count] of counts) {
    const [, pid, comm = ''] = /^(\d{1,20}),(.*)$/s.exec(key) ?? [];
    const known = best.get(Number(pid));
    if (!known || count > known.count) best.set(Number(pid), { comm, count });
  }
  return new Map([...best].map(([pid, { comm }]) => [pid, comm]));
}
