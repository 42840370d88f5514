import type { Recording } from './record-trace.ts';

/** A recording as a person would tell of it, with where it is and how to look at it. */
export function recordingInWords(data: Recording): string[] {
  const { duration_ms, switches, wakeups, cpus, processes, longest_wait, lost_events } = data;
  const busiest = cpus.map(({ cpu, busy_pct }) => `CPU ${cpu} ${busy_pct} %`);
  const running = processes.map(({ comm, pid, cpu_ms }) => `${comm ?? '?'} (${pid}) ${cpu_ms} ms`);
  return [
    `Recorded ${duration_ms / 1000} s: ${switches} context switches, ${wakeups} wakeups, ${lost_events} events lost; ${sizeOf(data.bytes)}.`,
    ...(busiest.length === 0 ? [] : [`Busiest: ${busiest.join(', ')}.`]),
    ...(running.length === 0 ? [] : [`Most CPU time: ${running.join(', ')}.`]),
    ...(longest_wait === null
      ? []
      : [
          `Longest wait for a CPU: ${longest_wait.wait_us} us, ${longest_wait.comm ?? '?'} (${longest_wait.pid}) on CPU ${longest_wait.cpu}.`,
        ]),
    `File: ${data.path}`,
    `Open it with ${data.open_with}`,
  ];
}

const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
