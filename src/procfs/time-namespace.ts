import type { HostFiles } from './host-files.ts';

/** How far the clocks of this process are ahead of those of the kernel, ns. */
export type ClockOffsets = Readonly<{ monotonic_ns: number; boottime_ns: number }>;

/**
 * /proc/self/timens_offsets (kernel/time/namespace.c, since 5.5): a container that was moved from
 * another host may have clocks of its own, and BPF programs see those of the kernel.
 *
 *     monotonic     1000000         0
 *     boottime            5         0
 *
 * Seconds and nanoseconds; 0 outside such a namespace and where the kernel has none.
 */
export function clockOffsets(files: HostFiles): ClockOffsets {
  const text = files.text('/proc/self/timens_offsets') ?? '';
  const offset = (clock: string): number => {
    const [, s = '0', ns = '0'] =
      new RegExp(`^${clock}\\s+(-?\\d+)\\s+(\\d+)$`, 'm').exec(text) ?? [];
    return Number(s) * 1e9 + Number(ns);
  };
  return { monotonic_ns: offset('monotonic'), boottime_ns: offset('boottime') };
}
