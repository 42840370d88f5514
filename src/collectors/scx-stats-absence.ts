import { parseScxOps, type ScxOps } from '../../parsers/scx-ops/scx-ops.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import type { StatsFailure } from './scx-stats-session.ts';

export const stats_uri = 'stats://scheduler/raw';
const scx_root = '/sys/kernel/sched_ext';

/** The scheduler that is loaded now, or null. */
export function loadedScheduler({ files }: Context): ScxOps | null {
  return parseScxOps(files.text(`${scx_root}/root/ops`) ?? '');
}

/** Why the scheduler gave no statistics, and what changes that. */
export function statsUnavailable(ctx: Context, failure: StatsFailure): Unavailable {
  return { what: stats_uri, ...explain(ctx, failure) };
}

type Explained = Readonly<{ reason: string; fix: string | null }>;

function explain(ctx: Context, { why, detail, path }: StatsFailure): Explained {
  const read_again = `tracewright read ${stats_uri}`;
  switch (why) {
    case 'missing':
      return noServer(ctx, `there is no ${path}`);
    case 'refused':
      return noServer(ctx, `nobody listens on ${path}, which a scheduler that ended left behind`);
    case 'denied':
      if (loadedScheduler(ctx) === null) return noServer(ctx, `${path} is left of one that ended`);
      return {
        reason: `Only its owner may connect to ${path}; we run as user id ${ctx.uid}.`,
        fix: `sudo chown ${ctx.uid} ${path}`,
      };
    case 'timeout':
      return {
        reason: `The scheduler did not answer on ${path} (${detail}): its main loop is busy or hangs.`,
        fix: read_again,
      };
    case 'ended':
    case 'canceled':
      return {
        reason: `The scheduler closed ${path} before it had answered, twice: it ended or restarts (${detail}).`,
        fix: read_again,
      };
    case 'too_long':
      return { reason: `The answer on ${path} has ${detail}; it was not read on.`, fix: null };
    case 'foreign':
      return { reason: `What listens on ${path} is no scx_stats server: ${detail}.`, fix: null };
    case 'error':
      return refusal(detail, read_again);
    case 'failed':
      return { reason: `${path} could not be used: ${detail}.`, fix: null };
  }
}

/** The socket does not say whether a scheduler runs; the kernel does. */
function noServer(ctx: Context, found: string): Explained {
  if (!ctx.files.exists(scx_root)) {
    const reason = 'This kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT, mainline since 6.12).';
    return { reason: `${reason} Also, ${found}.`, fix: null };
  }
  const scheduler = loadedScheduler(ctx);
  if (scheduler === null) {
    return { reason: `No sched_ext scheduler is loaded: ${found}.`, fix: 'sudo scx_bpfland' };
  }
  return {
    reason: `The loaded scheduler "${scheduler.ops}" serves no statistics here: ${found}. Schedulers in C, scx_cake and scx_rlfifo serve none; others may use another path.`,
    fix: 'Start the server with --stats-socket-path and the path of its socket.',
  };
}

function refusal(detail: string, read_again: string): Explained {
  if (!detail.includes('preempted by another sampler')) {
    return { reason: `The scheduler answered with an error: ${detail}.`, fix: null };
  }
  return {
    reason:
      'Another sampler took over while we measured ("preempted by another sampler"): this scheduler serves one at a time, such as `scx_lavd --monitor`.',
    fix: read_again,
  };
}

/** The answer of the scheduler has no such part. */
export function noPart(what: string, name: string, names: readonly string[]): TracewrightError {
  return new TracewrightError(
    'INVALID_PARAMS',
    `${stats_uri}: the answer of the scheduler has no ${what} "${name.slice(0, 80)}".`,
    `Begin with one of: ${names.slice(0, 20).join(', ')}.`,
  );
}
