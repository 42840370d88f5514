import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { ParseError } from '../../parsers/parsed.ts';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { readProcStat } from './cpu-counters.ts';
import type { ExecTrace } from './exec-rungs.ts';
import { growth } from './rates.ts';

const look_ms = 100;

/**
 * The last resort: looks at /proc ten times a second. Processes that live shorter are only in the
 * kernel's count of all that began.
 */
export function execFromProcfs(ctx: Context, duration_ms: number): Rung<ExecTrace> {
  return {
    method: 'procfs',
    obstacle: () => null,
    measure: (call) => measure(ctx, duration_ms, call),
  };
}

async function measure(
  ctx: Context,
  duration_ms: number,
  call: Call,
): Promise<Measured<ExecTrace>> {
  const started_ms = ctx.monotonicMs();
  const before = readProcStat(ctx.files).stat.forks;
  const known = new Set(pids(ctx));
  const alive = new Map<number, Begun>();
  const events: ProcessEvent[] = [];
  const now_ns = (): number => (ctx.monotonicMs() - started_ms) * 1e6;
  for (let left_ms = duration_ms; left_ms > 0; ) {
    await ctx.sleep(Math.min(look_ms, left_ms), call.signal);
    left_ms = started_ms + duration_ms - ctx.monotonicMs();
    const current = new Set(pids(ctx));
    for (const pid of current) {
      if (known.has(pid)) continue;
      known.add(pid);
      const begun = begin(ctx, pid, now_ns());
      if (begun === null) continue;
      alive.set(pid, begun);
      events.push(begun);
    }
    for (const [pid, begun] of alive) {
      if (current.has(pid)) continue;
      alive.delete(pid);
      events.push(ended(pid, begun, now_ns()));
    }
  }
  const window_ms = Math.round(ctx.monotonicMs() - started_ms);
  return {
    value: {
      events,
      sees: { forks: false, execs: false, failures: false, exits: false },
      from_ns: 0,
      threads_begun: null,
      tasks_begun: growth(before, readProcStat(ctx.files).stat.forks),
    },
    source: '/proc/stat, /proc/PID/stat',
    window_ms,
    lost_events: null,
    warnings: [
      `Looked every ${look_ms} ms: processes that lived shorter are not among the events.`,
    ],
  };
}

function pids({ files }: Context): readonly number[] {
  return (files.list('/proc') ?? []).map(Number).filter((pid) => Number.isSafeInteger(pid));
}

type Begun = Extract<ProcessEvent, { kind: 'fork' }>;

function begin({ files }: Context, pid: number, at_ns: number): Begun | null {
  const text = files.text(`/proc/${pid}/stat`);
  if (text === null) return null;
  try {
    const { ppid, comm } = parsePidStat(text);
    const parent = files.text(`/proc/${ppid}/comm`)?.trimEnd() ?? `pid ${ppid}`;
    return {
      kind: 'fork',
      at_ns,
      pid: ppid,
      child: pid,
      child_comm: untrusted(comm, 64),
      ppid: null,
      uid: null,
      comm: untrusted(parent, 64),
    };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** Found gone: when it began and ended is known to the tenth of a second, and its code not at all. */
const ended = (pid: number, begun: Begun, at_ns: number): ProcessEvent => ({
  kind: 'exit',
  at_ns,
  pid,
  ppid: begun.pid,
  uid: null,
  comm: begun.child_comm ?? begun.comm,
  code: null,
  signal: null,
  age_ns: null,
});
