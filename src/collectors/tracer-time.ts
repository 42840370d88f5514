import type { Context } from '../context.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';
import { kernelFacts } from './kernel-facts.ts';
import { liveTasks } from './live-tasks.ts';

/** How long each tracer took from its start until its probes were attached, the last time. */
const known = new WeakMap<Context, Map<string, number>>();

/** Room for 17 ranges of each of 470 system calls, of which a host uses a third. */
const fewest_task_keys = 8192;

/** bpftrace compiles in a fraction of a second, in an emulator or on a busy host in half a minute. */
const first_ms = 30_000;
const no_btf_ms = 10_000;
const few_cpus_ms = 5000;
const container_ms = 5000;
const least_ms = 10_000;

/**
 * Time that a tracer gets to attach: much for the first time, more where it is known to be slow,
 * later three times what it took before.
 */
export function startAllowance(ctx: Context, tracer: string): number {
  const before = known.get(ctx)?.get(tracer);
  if (before !== undefined) return Math.max(least_ms, Math.ceil(before * 3));
  const { btf, container } = kernelFacts(ctx);
  const cpus = readCpuList(ctx.files, `${cpu_root}/online`)?.length ?? 1;
  return (
    first_ms +
    (btf.value === true ? 0 : no_btf_ms) +
    (cpus < 4 ? few_cpus_ms : 0) +
    (container.value === null ? 0 : container_ms)
  );
}

export function rememberStart(ctx: Context, tracer: string, took_ms: number): void {
  const times = known.get(ctx) ?? new Map<string, number>();
  known.set(ctx, times);
  times.set(tracer, took_ms);
}

/**
 * Keys that a map may hold. The kernel reserves them for every CPU at once: fewer on a large host,
 * so that no map takes more than a few ten MiB.
 */
export function mapKeys(ctx: Context): number {
  const cpus = readCpuList(ctx.files, `${cpu_root}/online`)?.length ?? 1;
  return cpus <= 32 ? 32_768 : cpus <= 128 ? 16_384 : 8192;
}

/**
 * The same for a program whose maps are keyed by live task, system call and range of a histogram
 * alone: for each key of each map the kernel sets memory of every CPU aside, and frees it again. With
 * ten maps that is a quarter of a second of CPU time for each capture at 32,768 keys (6.18, two CPUs).
 */
export function taskKeys(ctx: Context): number {
  const most = mapKeys(ctx);
  const tasks = liveTasks(ctx.files);
  return tasks === null ? most : Math.min(most, Math.max(fewest_task_keys, 4 * tasks));
}
