import { processTree } from '../recordings/perfetto/packets.ts';
import { stackSamples } from '../recordings/perfetto/stack-samples.ts';
import type { SampleTimes, StackProfile } from './stack-profile.ts';

/**
 * The samples of a profile as a trace of Perfetto, each at its time and on its thread. Times are as
 * perf stamped them: those of one boot, on the clock that it took.
 */
export function profileTrace(profile: StackProfile, times: SampleTimes): Uint8Array {
  const { stacks, frames, event, period, unit } = profile;
  const pieces: Uint8Array[] = [];
  const write = (bytes: Uint8Array): number => pieces.push(bytes);
  write(names(profile, times));
  const distinct = stackNumbers(stacks);
  const samples = stackSamples({
    event,
    rate_hz: period !== null && unit !== 'count' ? Math.round(1e9 / period) : null,
    stackOf: (stack) => distinct.lists[stack] ?? [],
    frameOf: (frame) => frames[frame],
    write,
  });
  for (const [at, ts] of times.ns.entries()) {
    const number = times.stacks[at] ?? -1;
    const cpu = times.cpus[at] ?? -1;
    const { pid = null } = stacks[number] ?? {};
    const stack = distinct.of[number] ?? 0;
    samples.add({ ts, cpu: cpu < 0 ? null : cpu, pid, tid: times.tids[at] ?? null, stack });
  }
  return Buffer.concat(pieces);
}

/** Processes that have the same stack share it in the trace. */
function stackNumbers(stacks: StackProfile['stacks']) {
  const numbers = new Map<string, number>();
  const lists: (readonly number[])[] = [];
  const of = stacks.map(({ frames }) => {
    const key = frames.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, lists.length);
    return lists.push(frames) - 1;
  });
  return { of, lists };
}

function names({ stacks }: StackProfile, times: SampleTimes): Uint8Array {
  const processes = new Map<number, string>();
  const threads = new Map<number, Readonly<{ tgid: number; name: string | null }>>();
  for (const [at, stack] of times.stacks.entries()) {
    const { pid = null, comm = null } = stacks[stack] ?? {};
    const tid = times.tids[at] ?? 0;
    if (pid === null || tid === 0) continue;
    // A process has the name of its first thread.
    if (tid === pid || !processes.has(pid)) processes.set(pid, comm ?? '');
    threads.set(tid, { tgid: pid, name: comm });
  }
  return processTree(
    times.ns[0] ?? 0,
    [...processes].map(([pid, comm]) => ({
      pid,
      ppid: null,
      uid: null,
      cmdline: comm === '' ? [] : [comm],
      is_kernel_thread: false,
    })),
    [...threads].map(([tid, thread]) => ({ tid, ...thread })),
  );
}
