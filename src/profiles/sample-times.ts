import type { SampleTimes } from './stack-profile.ts';

/** When samples were taken, put down while they come in. */
export type SampleTimesBuilder = Readonly<{
  /** `stack`: the number of what the sample is added to. */
  add(stack: number, tid: number, cpu: number | null, time_s: number | null): void;
  /** Null where a sample had no time, or there were more of them than are worth their room. */
  finish(): SampleTimes | null;
}>;

/** Some 4 MB of a kept profile: half an hour of one busy CPU at 99 Hz, ten seconds of two hundred. */
const most_samples = 200_000;

export function sampleTimes(most = most_samples): SampleTimesBuilder {
  let stacks: number[] = [];
  let tids: number[] = [];
  let cpus: number[] = [];
  let ns: number[] = [];
  let isKept = true;
  return {
    add(stack, tid, cpu, time_s) {
      if (!isKept) return;
      if (time_s === null || ns.length === most) {
        isKept = false;
        stacks = tids = cpus = ns = [];
        return;
      }
      stacks.push(stack);
      tids.push(tid);
      cpus.push(cpu ?? -1);
      ns.push(Math.round(time_s * 1e9));
    },
    finish: () => (isKept && ns.length > 0 ? { stacks, tids, cpus, ns } : null),
  };
}

/** The same of stacks that have other numbers now; -1 for those that are left out. */
export function renumberedTimes(
  times: SampleTimes | null,
  number: (stack: number) => number,
): SampleTimes | null {
  if (times === null) return null;
  const kept = [...times.stacks.keys()].filter((at) => number(times.stacks[at] ?? -1) >= 0);
  const pick = (values: readonly number[]) => kept.map((at) => values[at] ?? 0);
  return {
    stacks: pick(times.stacks).map(number),
    tids: pick(times.tids),
    cpus: pick(times.cpus),
    ns: pick(times.ns),
  };
}

/** Numbers threads, which profiles merge into processes: process (or what it is merged into) and thread. */
export function threadNumbers() {
  const numbers = new Map<string, number>();
  const threads: Readonly<{ task: number; tid: number }>[] = [];
  return {
    of(task: number, tid: number): number {
      const key = `${task} ${tid}`;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, threads.length);
      return threads.push({ task, tid }) - 1;
    },
    get: (thread: number) => threads[thread] ?? { task: -1, tid: 0 },
  };
}
