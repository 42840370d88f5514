import { kernelFacts } from '../collectors/kernel-facts.ts';
import type { Context } from '../context.ts';
import { clockOffsets } from '../procfs/time-namespace.ts';

/** The clock of a recording: time since boot, suspended time included, as Perfetto wants it. */
export type TraceClock = Readonly<{
  now_ns(): number;
  /** Of what a BPF program calls the time. */
  ofEvent(ts: number): number;
  /** What was behind the time stamps of the kernel. */
  kernel_clock: 'CLOCK_BOOTTIME' | 'CLOCK_MONOTONIC';
  /** How long this machine was suspended since boot; 0 where it never was. */
  suspended_ns: number;
}>;

/** /proc/uptime counts hundredths of a second. */
const resolution_ns = 20_000_000;

/**
 * bpftrace asks the kernel for CLOCK_BOOTTIME where a program can (bpf_ktime_get_boot_ns, 5.8), else
 * for CLOCK_MONOTONIC. The two differ by the time that the machine was suspended.
 */
export function traceClock(ctx: Context): TraceClock {
  const suspended_ns = suspendedTime(ctx);
  const hasBoottime = isSince58(kernelFacts(ctx).release.value ?? '');
  return {
    now_ns: () => ctx.monotonicNs() + suspended_ns,
    ofEvent: (ts) => (hasBoottime ? ts : ts + suspended_ns),
    kernel_clock: hasBoottime ? 'CLOCK_BOOTTIME' : 'CLOCK_MONOTONIC',
    suspended_ns,
  };
}

function suspendedTime(ctx: Context): number {
  const before = ctx.monotonicNs();
  const [seconds] = ctx.files.text('/proc/uptime')?.split(' ') ?? [];
  const uptime_ns = Number(seconds) * 1e9 - clockOffsets(ctx.files).boottime_ns;
  const difference = Math.round(uptime_ns - before);
  return difference > resolution_ns ? difference : 0;
}

function isSince58(release: string): boolean {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(major) > 5 || (Number(major) === 5 && Number(minor) >= 8);
}
