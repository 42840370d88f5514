import type { Recording } from './record-trace.ts';
import type { TraceClock } from './trace-clock.ts';

/** A recording as a person would tell of it, with where it is and how to look at it. */
export function recordingInWords(data: Recording): string[] {
  const { duration_ms, switches, wakeups, cpus, processes, longest_wait, lost_events } = data;
  const busiest = cpus.map(({ cpu, busy_pct }) => `CPU ${cpu} ${busy_pct} %`);
  const running = processes.map(({ comm, pid, cpu_ms }) => `${comm ?? '?'} (${pid}) ${cpu_ms} ms`);
  return [
    `Recorded ${duration_ms / 1000} s: ${switches} context switches, ${wakeups} wakeups, ${lost_events} events lost; ${sizeOf(data.bytes)}.`,
    ...(busiest.length === 0 ? [] : [`Busiest: ${busiest.join(', ')}.`]),
    ...(running.length === 0 ? [] : [`Most CPU time: ${running.join(', ')}.`]),
    ...sampled(data.stack_samples),
    ...(longest_wait === null
      ? []
      : [
          `Longest wait for a CPU: ${longest_wait.wait_us} us, ${longest_wait.comm ?? '?'} (${longest_wait.pid}) on CPU ${longest_wait.cpu}.`,
        ]),
    `File: ${data.path}`,
    `Open it with ${data.open_with}`,
  ];
}

function sampled(samples: Recording['stack_samples']): string[] {
  if (samples === null) return [];
  return [`${samples.samples} call stacks at ${samples.rate_hz} Hz, ${samples.idle} of them idle.`];
}

const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

type Missing = Readonly<
  Pick<Recording, 'lost_events' | 'gaps' | 'cpus_seen' | 'ended' | 'stack_samples'>
>;

/** What is missing from it, or less exact than it seems. `online`: CPUs of the host. */
export function recordingWarnings(
  { lost_events, gaps, cpus_seen, ended, stack_samples }: Missing,
  { suspended_ns, kernel_clock }: TraceClock,
  most_bytes: number,
  online: number | null,
): string[] {
  const still = online === null ? 0 : online - cpus_seen;
  return [
    ...(lost_events === 0
      ? []
      : [
          `${lost_events} events were lost between the kernel and bpftrace: a slice may stand for several.`,
        ]),
    ...(gaps === 0
      ? []
      : [
          `At ${gaps} places the kernel told nothing of some switches, see "Missing switches" in the trace: the task before such a place did not run up to its end.`,
        ]),
    ...(still > 0
      ? [
          still === 1
            ? '1 CPU changed its task never: what it did is not in the figures. It was idle or busy throughout.'
            : `${still} CPUs changed their tasks never: what they did is not in the figures. They were idle or busy throughout.`,
        ]
      : []),
    ...(ended === 'full' ? [`It ended early: a recording has at most ${most_bytes} bytes.`] : []),
    ...(ended === 'tracer' ? ['It ended early: bpftrace ended by itself.'] : []),
    ...sampleWarnings(stack_samples),
    ...(suspended_ns === 0 || kernel_clock === 'CLOCK_BOOTTIME'
      ? []
      : ['The machine was suspended before: times since boot are right to 20 ms.']),
  ];
}

function sampleWarnings(samples: Recording['stack_samples']): string[] {
  if (samples === null) return [];
  const { lost, is_cut } = samples;
  return [
    ...(lost > 0 ? [`The kernel dropped ${lost} stack samples.`] : []),
    ...(is_cut
      ? ['Not all stack samples are in the trace: it is full, or perf was too slow.']
      : []),
  ];
}
