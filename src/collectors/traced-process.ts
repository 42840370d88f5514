import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';

export type TracedProcess = Readonly<{ pid: number; comm: string }>;

/** The process that an id belongs to, which may be that of a thread. PID_NOT_FOUND without one. */
export function tracedProcess(ctx: Context, pid: number): TracedProcess {
  const status = ctx.files.text(`/proc/${pid}/status`);
  if (status === null) {
    throw new TracewrightError(
      'PID_NOT_FOUND',
      `There is no process ${pid} here.`,
      'Read stats://aggregated/process for the processes that are there, or leave pid out for all.',
    );
  }
  const comm = untrusted(ctx.files.text(`/proc/${pid}/comm`) ?? '', 64);
  return { pid: parsePidStatus(status).data.tgid ?? pid, comm };
}

/** The server itself, whose own doings are no news. Null where /proc is closed. */
export function ownPid({ files }: Context): number | null {
  const pid = Number(files.link('/proc/self'));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}

/** PROC_PID_INIT_INO: the namespace in which the kernel numbers processes for its own programs. */
const initial_namespace = 'pid:[4026531836]';

/** Whether tracers number processes otherwise than we do: in most containers. */
export function pidsDiffer({ files }: Context): boolean {
  const own = files.link('/proc/self/ns/pid');
  return own !== null && own !== initial_namespace;
}
