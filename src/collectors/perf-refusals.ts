import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { hasCapability } from '../procfs/effective-capabilities.ts';
import { runsPrivileged } from './privileges.ts';
import { noSuchProcess, type ProfileTarget } from './profile-target.ts';
import { locateTracefs } from './tracefs.ts';

/** Whether the kernel lets this process, or its helper, measure everything, whatever perf_event_paranoid says. */
export function mayMeasureAll({ files, helper }: Context): boolean {
  if (helper.route() !== null) return true;
  return hasCapability(files, 'sys_admin') === true || hasCapability(files, 'perfmon') === true;
}

/** The root user of a container has few of root's capabilities. */
export const refused_root = {
  reason:
    'The kernel refuses perf to this root user: it has neither CAP_PERFMON nor CAP_SYS_ADMIN.',
  fix: 'Start the container with --cap-add PERFMON --cap-add SYSLOG and without a seccomp filter on perf_event_open.',
} as const;

type Refusal = Readonly<{
  /** What perf wrote on stderr. */
  stderr: string;
  event: string;
  isTracepoint: boolean;
  target: ProfileTarget;
}>;

/** Why perf record ended before it sampled, with the change that helps. */
export function perfRefusal(ctx: Context, refusal: Refusal): TracewrightError {
  const { stderr, event, isTracepoint, target } = refusal;
  if (target.scope === 'pid' && /No such process|CPU maps/.test(stderr)) {
    return noSuchProcess(target.pid);
  }
  if (target.scope === 'pid' && stderr.trim() === '' && mayNotLookAt(ctx, target.pid)) {
    return new TracewrightError(
      'PERMISSION_DENIED',
      `The kernel lets nobody of this user look into process ${target.pid} (ptrace access).`,
      'Leave pid out: a profile of the whole machine has its samples, too.',
    );
  }
  // perf says of a tracefs that it may not see that it holds no such event.
  if (isTracepoint && !runsPrivileged(ctx) && locateTracefs(ctx).path === null) {
    return notPermitted(ctx, refusal);
  }
  if (/unknown tracepoint|tracing\/events\/\S+ not found/.test(stderr)) {
    return new TracewrightError(
      'INVALID_PARAMS',
      `This kernel has no ${event}.`,
      'Ask list_events for the events of a subsystem.',
    );
  }
  if (/No permission|EACCES|Operation not permitted|access trace events|is limited/.test(stderr)) {
    return notPermitted(ctx, refusal);
  }
  if (/not supported|No such device|not found/.test(stderr)) return notSupported(event);
  if (/Too many (?:open files|events)/.test(stderr)) {
    return new TracewrightError(
      'EXECUTION_FAILED',
      'perf needs an open file for each thread and CPU, and ran out of them.',
      'Profile with pid=-1, or raise the limit: ulimit -n 1048576',
    );
  }
  if (/unknown option|--control|Usage:/.test(stderr)) {
    return new TracewrightError(
      'FEATURE_UNAVAILABLE',
      'This perf is older than 5.10 and cannot be controlled through pipes.',
      'Install the perf of a newer kernel (package linux-perf or linux-tools).',
    );
  }
  return new TracewrightError(
    'EXECUTION_FAILED',
    `perf record failed: ${untrusted(stderr, 400) || 'it said nothing'}`,
    'Run `tracewright doctor`; the words are perf’s own.',
  );
}

/** perf then ends without a word. A namespace is a link that only who may trace a process can read. */
const mayNotLookAt = ({ files }: Context, pid: number): boolean =>
  files.link(`/proc/${pid}/ns/pid`) === null;

/** Told apart from the rest so that a profile can go on with the clock. */
const notSupported = (event: string): TracewrightError =>
  new TracewrightError(
    'FEATURE_UNAVAILABLE',
    `This machine has no counter ${event}.`,
    'Use sw:cpu-clock, which works everywhere.',
  );

function notPermitted(ctx: Context, { isTracepoint, target }: Refusal): TracewrightError {
  if (runsPrivileged(ctx)) {
    return new TracewrightError('CAPABILITY_MISSING', refused_root.reason, refused_root.fix);
  }
  const paranoid = ctx.files.number('/proc/sys/kernel/perf_event_paranoid');
  const level = `kernel.perf_event_paranoid is ${paranoid ?? 'not readable'}`;
  if (isTracepoint) {
    return new TracewrightError(
      'PERMISSION_DENIED',
      `Trace events are for root here: ${level}.`,
      'sudo tracewright mcp',
    );
  }
  if (target.scope !== 'pid') {
    return new TracewrightError(
      'PERMISSION_DENIED',
      `Only root may profile whole CPUs here: ${level}.`,
      'sudo sysctl kernel.perf_event_paranoid=0, or use the pid of a process of your own.',
    );
  }
  if (paranoid !== null && paranoid > 2) {
    return new TracewrightError(
      'PERMISSION_DENIED',
      `Users may not profile anything here: ${level}.`,
      'sudo sysctl kernel.perf_event_paranoid=2',
    );
  }
  return new TracewrightError(
    'PERMISSION_DENIED',
    `Process ${target.pid} is not yours to profile: ${level}.`,
    'sudo tracewright mcp, or use the pid of a process of your own.',
  );
}
