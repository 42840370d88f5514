import type { Finding } from './finding.ts';

/** One call over a window. */
export type SyscallRate = Readonly<{
  name: string;
  count: number;
  rate_per_sec: number;
  avg_us: number | null;
}>;

const many_per_s = 100_000;
const dominant_pct = 50;
const slow_us = 10_000;
/** Fewer calls than this say nothing of a pattern. */
const few_calls = 100;

/**
 * Calls that wait for a disk or the kernel. Of all others (futex, poll, read of a pipe, sleep, …) a
 * long one says that somebody waited on purpose.
 */
const work =
  /^(?:openat2?|open|creat|close|f?sync|fdatasync|syncfs|sync_file_range|msync|p(?:read|write)(?:64|v2?)|l?stat|f?statx?|newfstatat|statfs|getdents(?:64)?|unlink(?:at)?|rename(?:at2?)?|mkdir(?:at)?|rmdir|f?truncate|fallocate|mmap|munmap|mprotect|madvise|clone3?|v?fork|execve(?:at)?)$/;

/** What stands out among the system calls of a window; most severe first. */
export function syscallFindings(calls: readonly SyscallRate[], per_sec: number): Finding[] {
  const total = calls.reduce((sum, { count }) => sum + count, 0);
  const findings: Finding[] = [];
  if (per_sec > many_per_s) {
    findings.push({
      id: 'high_syscall_rate',
      severity: 'warning',
      title: 'Many system calls',
      description: `${Math.round(per_sec)} system calls a second.`,
      category: 'cpu',
      confidence: 85,
      metrics: { syscalls_per_sec: Math.round(per_sec), threshold: many_per_s },
      suggestion: 'perf_syscall_count with per_process=true tells who makes them.',
    });
  }
  const slow = calls.filter(({ name, avg_us }) => work.test(name) && (avg_us ?? 0) > slow_us);
  for (const { name, count, avg_us } of slow.slice(0, 3)) {
    findings.push({
      id: 'high_latency_syscall',
      severity: 'warning',
      title: `Slow ${name}`,
      description: `${name} took ${Math.round((avg_us ?? 0) / 100) / 10} ms on average.`,
      category: 'io',
      confidence: 80,
      metrics: { syscall: name, count, avg_latency_us: avg_us ?? 0, threshold_us: slow_us },
      suggestion: 'perf_vfs_latency and perf_bio_latency tell which files and disks are slow.',
    });
  }
  return [...findings, ...dominantCall(calls, total)];
}

function dominantCall(calls: readonly SyscallRate[], total: number): Finding[] {
  const [first] = [...calls].sort((a, b) => b.count - a.count);
  if (!first || total < few_calls) return [];
  const pct = Math.round((first.count * 1000) / total) / 10;
  if (pct <= dominant_pct) return [];
  const hint = hintFor(first.name);
  return [
    {
      id: 'dominant_syscall',
      severity: 'info',
      title: `${first.name} dominates`,
      description: `${pct} % of all system calls are ${first.name}.`,
      category: 'cpu',
      confidence: 90,
      metrics: { syscall: first.name, percentage: pct, rate_per_sec: first.rate_per_sec },
      ...(hint === null ? {} : { suggestion: hint }),
    },
  ];
}

function hintFor(name: string): string | null {
  if (name === 'futex') return 'Threads wait for each other: perf_offcpu_profile tells where.';
  if (/^p?(?:read|write)/.test(name)) return 'Larger buffers need fewer calls.';
  return null;
}
