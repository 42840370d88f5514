/** What a program has done since it was loaded. Null where the kernel does not tell, or beyond 2^53. */
export type BpfRunStats = Readonly<{
  /** Counted only while kernel.bpf_stats_enabled is 1. */
  run_cnt: number | null;
  run_time_ns: number | null;
  /** Times that it was not run, because this CPU ran a BPF program already. Always counted. */
  recursion_misses: number | null;
}>;

/**
 * The counters in `/proc/<pid>/fdinfo/<fd>` of a `bpf-prog` (kernel/bpf/syscall.c,
 * bpf_prog_show_fdinfo); recursion_misses since 5.12:
 *
 *     run_time_ns:	47939
 *     recursion_misses:	0
 */
export function parseBpfRunStats(text: string): BpfRunStats {
  return {
    run_cnt: counter(text, 'run_cnt'),
    run_time_ns: counter(text, 'run_time_ns'),
    recursion_misses: counter(text, 'recursion_misses'),
  };
}

function counter(text: string, name: string): number | null {
  const [, digits] = new RegExp(`^${name}:\\t(\\d{1,20})$`, 'm').exec(text) ?? [];
  const value = Number(digits ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : null;
}
