import { formatCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';

export type ProfileTarget = Readonly<
  { scope: 'all' } | { scope: 'cpu'; cpu: number } | { scope: 'pid'; pid: number; comm: string }
>;

type Wanted = Readonly<{ cpu: number; pid: number; freq: number }>;

/** The target out of `cpu` and `pid` (-1: all), checked against this host. */
export function profileTarget(ctx: Context, { cpu, pid }: Wanted): ProfileTarget {
  if (cpu >= 0 && pid >= 0) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'perf records one process on every CPU, or one CPU with every process, not both at once.',
      'Give pid or cpu and leave the other at -1; by_cpu tells where the process ran.',
    );
  }
  if (pid >= 0) return { scope: 'pid', ...processOf(ctx, pid) };
  if (cpu < 0) return { scope: 'all' };
  const online = readCpuList(ctx.files, `${cpu_root}/online`);
  if (online && !online.includes(cpu)) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `CPU ${cpu} is not online.`,
      `Choose from ${formatCpuList(online)}, or -1 for all.`,
    );
  }
  return { scope: 'cpu', cpu };
}

/** perf -p takes all threads of the process that an id belongs to, whichever of them it is. */
function processOf(ctx: Context, pid: number): Readonly<{ pid: number; comm: string }> {
  const status = ctx.files.text(`/proc/${pid}/status`);
  if (status === null) throw noSuchProcess(pid);
  const comm = untrusted(ctx.files.text(`/proc/${pid}/comm`) ?? '', 64);
  return { pid: parsePidStatus(status).data.tgid ?? pid, comm };
}

export const noSuchProcess = (pid: number): TracewrightError =>
  new TracewrightError(
    'PID_NOT_FOUND',
    `There is no process ${pid} here.`,
    'Read stats://aggregated/process for the processes that are there, or use pid=-1 for all.',
  );

/** The kernel lowers this limit by itself where perf's interrupts take too long. */
export function checkRate(ctx: Context, { freq }: Pick<Wanted, 'freq'>): void {
  const max = ctx.files.number('/proc/sys/kernel/perf_event_max_sample_rate');
  if (max === null || freq <= max) return;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `The kernel allows ${max} samples a second at most (kernel.perf_event_max_sample_rate).`,
    `Use freq=${max} or less, or: sudo sysctl kernel.perf_event_max_sample_rate=${freq}`,
  );
}

export function targetText(target: ProfileTarget): string {
  if (target.scope === 'all') return 'all CPUs';
  if (target.scope === 'cpu') return `CPU ${target.cpu}`;
  return `process ${target.pid} (${target.comm})`;
}
