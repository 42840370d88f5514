import { fdType } from '../../parsers/fd-target/fd-target.ts';
import { ParseError } from '../../parsers/parsed.ts';
import { type Limit, parsePidLimits } from '../../parsers/pid-limits/pid-limits.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { type FdGrowth, fdGrowth } from '../analysis/fd-growth.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { page } from '../page.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import {
  describe,
  type FdGroup,
  growthByType,
  newDescriptors,
  type SocketsByInode,
} from './fd-groups.ts';
import { type FdSample, max_links, sampleFds } from './fd-sample.ts';
import { processOf } from './one-process.ts';
import { readStat } from './process-facts.ts';
import { percent, round } from './rates.ts';
import { readTcpSockets } from './socket-counts.ts';

export type FdTraceParams = Readonly<{
  pid: number;
  duration_seconds: number;
  interval_sec: number;
  include_fd_list: boolean;
  max_fds_listed: number;
}>;

export type FdTrace = Readonly<{
  pid: number;
  process_name: string;
  duration_seconds: number;
  samples: readonly Readonly<{
    timestamp: string;
    total_fds: number;
    by_type: Readonly<Record<string, number>>;
  }>[];
  current: Readonly<{
    total_fds: number;
    /** Null: unlimited. */
    soft_limit: number | null;
    hard_limit: number | null;
    usage_percent: number | null;
    by_type: Readonly<Record<string, number>>;
  }>;
  leak_detection: FdGrowth &
    Readonly<{
      growth_by_type: Readonly<Record<string, number>>;
      new_descriptors: readonly FdGroup[];
      /** Until the soft limit is met, at the rate measured; null where it does not grow. */
      time_to_exhaustion_seconds: number | null;
    }>;
  fd_list?: readonly Readonly<{ fd: number; type: string; target: string }>[];
  notes: readonly string[];
}>;

const list_bytes = 18_000;
const groups_shown = 5;

/**
 * The open descriptors of a process, looked at again and again, and whether they leak.
 *
 * @throws TracewrightError PID_NOT_FOUND, CAPABILITY_MISSING, PERMISSION_DENIED
 */
export async function collectFdTrace(
  ctx: Context,
  params: FdTraceParams,
  call: Call,
): Promise<Reading<FdTrace>> {
  const { files } = ctx;
  const pid = processOf(ctx, params.pid);
  const stat = readStat(files, `/proc/${pid}/stat`);
  const looks = await watch(ctx, pid, stat?.starttime_ticks ?? null, params, call);
  const { first, last } = looks;
  const at_s = looks.samples.at(-1)?.at_s ?? 0;
  const limits = readLimit(files, pid);
  const sockets = socketsOf(files, pid, last);
  const growth = fdGrowth(
    looks.samples.map(({ at_s: at, total_fds }) => ({ at_s: at, total: total_fds })),
  );
  const data: FdTrace = {
    pid,
    process_name: stat === null ? 'unknown' : untrusted(stat.comm),
    duration_seconds: round(at_s, 1),
    samples: looks.samples.map(({ at_s: _, ...sample }) => sample),
    current: {
      total_fds: last.total,
      soft_limit: limits?.soft ?? null,
      hard_limit: limits?.hard ?? null,
      usage_percent: percent(last.total, limits?.soft ?? 0),
      by_type: last.by_type,
    },
    leak_detection: {
      ...growth,
      growth_by_type: growthByType(first, last),
      new_descriptors: newDescriptors(first, last, sockets, groups_shown),
      time_to_exhaustion_seconds: timeLeft(last.total, limits, growth),
    },
    ...(params.include_fd_list ? { fd_list: listed(last, sockets, params.max_fds_listed) } : {}),
    notes: notes(last, limits, looks.ended),
  };
  const shown = data.fd_list?.length ?? last.total;
  return {
    data,
    source: '/proc/PID/fd, /proc/PID/limits, /proc/PID/net/tcp',
    window_ms: Math.round(at_s * 1000),
    ...(shown < last.total
      ? { truncated: true, total: last.total, next: 'perf_fd_trace with a larger max_fds_listed' }
      : {}),
    unavailable: [...missing(limits, data), ...closedLinks(last)],
    summary: summary(data),
  };
}

type Look = FdTrace['samples'][number] & Readonly<{ at_s: number }>;
type Looks = Readonly<{
  samples: readonly Look[];
  first: FdSample;
  last: FdSample;
  /** Whether the process ended before the time was over. */
  ended: boolean;
}>;

async function watch(
  ctx: Context,
  pid: number,
  starttime_ticks: number | null,
  { duration_seconds, interval_sec }: FdTraceParams,
  call: Call,
): Promise<Looks> {
  const started_ms = ctx.monotonicMs();
  const first = sampleFds(ctx.files, pid, starttime_ticks, max_links.ends);
  if (first === null) throw gone(pid);
  const samples = [look(ctx, first, 0)];
  let last = first;
  let looked_s = 0;
  for (let due_s = interval_sec; looked_s < duration_seconds; due_s += interval_sec) {
    call.progress(`${last.total} descriptors open`);
    const until_ms = started_ms + Math.min(due_s, duration_seconds) * 1000;
    await ctx.sleep(Math.max(0, until_ms - ctx.monotonicMs()), call.signal);
    const links = due_s >= duration_seconds ? max_links.ends : max_links.between;
    const next = sampleFds(ctx.files, pid, starttime_ticks, links);
    if (next === null) return { samples, first, last, ended: true };
    last = next;
    looked_s = Math.min(due_s, duration_seconds);
    samples.push(look(ctx, next, (ctx.monotonicMs() - started_ms) / 1000));
  }
  return { samples, first, last, ended: false };
}

const look = (ctx: Context, { total, by_type }: FdSample, at_s: number): Look => ({
  timestamp: ctx.now().toISOString(),
  total_fds: total,
  by_type,
  at_s,
});

const gone = (pid: number): TracewrightError =>
  new TracewrightError(
    'PID_NOT_FOUND',
    `Process ${pid} ended.`,
    'Read stats://aggregated/process?comm=NAME for the pid of a program, or run `ps -e`.',
  );

function readLimit(files: HostFiles, pid: number): Limit | null {
  const text = files.text(`/proc/${pid}/limits`);
  if (text === null) return null;
  try {
    return parsePidLimits(text).data['Max open files'] ?? null;
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** Listing sockets is for processes that have some. */
function socketsOf(files: HostFiles, pid: number, { by_type }: FdSample): SocketsByInode {
  if (!by_type['socket']) return new Map();
  const { sockets } = readTcpSockets(files, `/proc/${pid}/net`);
  return new Map((sockets ?? []).map((socket) => [socket.inode, socket]));
}

function timeLeft(total: number, limits: Limit | null, growth: FdGrowth): number | null {
  const { fd_growth_rate: rate, fd_change } = growth;
  if (limits?.soft == null || rate === null || rate <= 0 || fd_change <= 0) return null;
  return Math.max(0, Math.round((limits.soft - total) / rate));
}

function listed({ targets }: FdSample, sockets: SocketsByInode, limit: number) {
  const rows = [...targets]
    .sort(([a], [b]) => a - b)
    .map(([fd, target]) => ({
      fd,
      type: target === null ? 'unknown' : fdType(target),
      target: describe(target, sockets),
    }));
  return page(rows, { limit, offset: 0 }, list_bytes).rows;
}

function notes({ total, by_type }: FdSample, limits: Limit | null, ended: boolean): string[] {
  const used_pct = percent(total, limits?.soft ?? 0);
  const sockets = by_type['socket'] ?? 0;
  const pipes = by_type['pipe'] ?? 0;
  return [
    ...(ended ? ['The process ended while it was watched: the figures are those until then.'] : []),
    ...(used_pct !== null && used_pct > 70
      ? [`${used_pct} % of the soft limit of ${limits?.soft} is used.`]
      : []),
    ...(total > 100 && sockets > total / 2 ? [`${sockets} of ${total} are sockets.`] : []),
    ...(pipes > 50 ? [`${pipes} are pipes.`] : []),
  ];
}

function missing(limits: Limit | null, { pid, current }: FdTrace): Unavailable[] {
  const gap = (what: string, reason: string): Unavailable => ({ what, reason, fix: null });
  if (limits === null) {
    return [gap('current.soft_limit, current.hard_limit', `/proc/${pid}/limits cannot be read.`)];
  }
  return current.usage_percent === null
    ? [gap('current.usage_percent', 'The number of open files is not limited.')]
    : [];
}

function closedLinks({ targets }: FdSample): Unavailable[] {
  const closed = [...targets.values()].filter((target) => target === null).length;
  if (closed === 0) return [];
  const reason = `This user may count, but not follow, ${closed} descriptors (ptrace access).`;
  return [{ what: 'by_type, fd_list.target, new_descriptors', reason, fix: null }];
}

function summary({ pid, process_name, current, leak_detection, notes }: FdTrace): string[] {
  const { is_likely_leak, time_to_exhaustion_seconds, new_descriptors } = leak_detection;
  const [top] = new_descriptors;
  return [
    `${process_name} (${pid}): ${current.total_fds} descriptors open, ` +
      `${current.soft_limit === null ? 'limit unknown or none' : `limit ${current.soft_limit}`}.`,
    leak_detection.interpretation,
    ...(is_likely_leak && top ? [`${top.count} of the new ones: ${top.type}, ${top.where}.`] : []),
    ...(is_likely_leak && time_to_exhaustion_seconds !== null
      ? [`At this rate the limit is met in ${time_to_exhaustion_seconds} s.`]
      : []),
    ...notes.slice(0, 2),
  ];
}
