import { untrusted } from '../../parsers/untrusted.ts';
import type { Profile } from '../analysis/profile.ts';
import { heaviestStacks, withoutIdle } from '../analysis/profile-idle.ts';
import { rankSymbols } from '../analysis/profile-symbols.ts';
import type { SampledCpu } from './cpu-profile-rungs.ts';
import { share, shortFrame } from './profile-rows.ts';
import { round } from './rates.ts';

export type TopFunction = Readonly<{
  symbol: string;
  module: string;
  /** In the function itself; with all that it calls. Of the samples of busy CPUs. */
  percent: number;
  samples: number;
  total_percent: number;
  is_kernel: boolean;
}>;

/** Null where the way of sampling does not tell. Shares are of busy CPUs: idle ones are left out. */
export type CpuProfileFigures = Readonly<{
  total_samples: number | null;
  idle_samples: number | null;
  top_functions: readonly TopFunction[] | null;
  kernel_percent: number | null;
  user_percent: number | null;
  by_process: readonly Readonly<{
    pid: number | null;
    comm: string;
    percent: number;
    samples: number | null;
    cpu_ms: number | null;
  }>[];
  hot_stacks?: readonly Readonly<{ stack: readonly string[]; percent: number; comm: string }>[];
  /** "comm;outermost;…;innermost samples", heaviest first. */
  collapsed?: readonly string[];
  /** Distinct stacks that are not among `collapsed`. */
  collapsed_left_out?: number;
  notes: readonly string[];
}>;

const max_functions = 20;
const max_processes = 10;
const max_stacks = 5;
const max_frames = 20;
const collapsed_bytes = 20_000;
const max_collapsed = 2000;

export function cpuProfileFigures(
  { profile, idle_aside, user_only, cpu_time }: SampledCpu,
  format: 'summary' | 'collapsed',
): CpuProfileFigures {
  if (profile === null) return fromCpuTime(cpu_time ?? []);
  const { profile: busy, idle } = withoutIdle(profile);
  const { total, kernel, without_stack } = busy;
  const functions = topFunctions(busy);
  const known = total > 0 && !user_only;
  return {
    total_samples: total,
    idle_samples: user_only ? null : idle + idle_aside,
    top_functions: functions.slice(0, max_functions),
    kernel_percent: known ? share(kernel, total) : null,
    user_percent: known ? share(total - kernel - without_stack, total) : null,
    by_process: byProcess(busy),
    ...(format === 'collapsed' ? collapsedStacks(busy) : { hot_stacks: hotStacks(busy) }),
    notes: known ? notesOf(functions, share(kernel, total)) : [],
  };
}

function fromCpuTime(uses: NonNullable<SampledCpu['cpu_time']>): CpuProfileFigures {
  const total = uses.reduce((sum, { cpu_ms }) => sum + cpu_ms, 0);
  const busiest = uses.filter(({ cpu_ms }) => cpu_ms > 0).sort((a, b) => b.cpu_ms - a.cpu_ms);
  return {
    total_samples: null,
    idle_samples: null,
    top_functions: null,
    kernel_percent: null,
    user_percent: null,
    by_process: busiest.slice(0, max_processes).map(({ pid, comm, cpu_ms }) => ({
      pid,
      comm: untrusted(comm, 64),
      percent: share(cpu_ms, total),
      samples: null,
      cpu_ms: round(cpu_ms),
    })),
    notes: [],
  };
}

function topFunctions(profile: Profile): readonly TopFunction[] {
  return rankSymbols(profile, 'self')
    .filter(({ self }) => self > 0)
    .map(({ symbol, self, total }) => {
      const found = profile.symbols[symbol];
      return {
        symbol: untrusted(found?.symbol ?? '[unknown]', 120),
        module: untrusted(found?.module ?? '[unknown]', 80),
        percent: share(self, profile.total),
        samples: self,
        total_percent: share(total, profile.total),
        is_kernel: found?.is_kernel ?? false,
      };
    });
}

function byProcess({ shares, processes, total }: Profile): CpuProfileFigures['by_process'] {
  const counts = new Map<number | null, { comm: string; samples: number; most: number }>();
  for (const [index, process] of shares.processes.entries()) {
    const { pid = null, comm = '' } = processes[process] ?? {};
    const weight = shares.weights[index] ?? 0;
    const known = counts.get(pid) ?? { comm, samples: 0, most: 0 };
    counts.set(pid, known);
    known.samples += weight;
    // Threads of one process may have names of their own.
    if (weight > known.most) Object.assign(known, { comm, most: weight });
  }
  return [...counts]
    .map(([pid, { comm, samples }]) => ({
      pid,
      comm: untrusted(comm, 64),
      percent: share(samples, total),
      samples,
      cpu_ms: null,
    }))
    .sort((a, b) => b.samples - a.samples)
    .slice(0, max_processes);
}

function hotStacks(profile: Profile): NonNullable<CpuProfileFigures['hot_stacks']> {
  return heaviestStacks(profile, max_stacks).map(({ process, weight, frames }) => ({
    stack: frames.slice(0, max_frames).map((frame) => shortFrame(profile, frame)),
    percent: share(weight, profile.total),
    comm: untrusted(profile.processes[process]?.comm ?? '', 64),
  }));
}

/** One line for each stack, as flame graph programs read them. */
export function collapsedStacks(profile: Profile) {
  const collapsed: string[] = [];
  let left = collapsed_bytes;
  for (const { process, weight, frames } of heaviestStacks(profile, max_collapsed)) {
    const comm = untrusted(profile.processes[process]?.comm ?? '', 64);
    const names = [...frames].reverse().map((frame) => profile.symbols[frame]?.symbol ?? '');
    // The format parts frames by semicolons and has no way to write one.
    const path = [comm, ...names].map((each) => untrusted(each, 120).replaceAll(';', ':'));
    const line = `${path.join(';')} ${weight}`;
    left -= line.length + 3;
    if (left < 0) break;
    collapsed.push(line);
  }
  return { collapsed, collapsed_left_out: profile.shares.weights.length - collapsed.length };
}

function notesOf(functions: readonly TopFunction[], kernel_percent: number): readonly string[] {
  const sum = (pattern: RegExp): number =>
    round(
      functions.reduce((total, each) => total + (pattern.test(each.symbol) ? each.percent : 0), 0),
    );
  const allocation = sum(
    /^(?:_?_?libc_)?(?:malloc|calloc|realloc|free|_int_malloc|_int_free)\b|^je_|^tc_/,
  );
  const locks = sum(/spin_lock|spin_unlock|queued_spin|osq_lock|mutex|rwsem/);
  return [
    ...(kernel_percent > 30
      ? [`${kernel_percent} % in the kernel: perf_syscall_count tells what it is asked for.`]
      : []),
    ...(allocation >= 5 ? [`${allocation} % in malloc and free.`] : []),
    ...(locks >= 5 ? [`${locks} % in locks: perf_offcpu_profile tells who waits for them.`] : []),
  ];
}
