import {
  attachPoints,
  type FunctionMode,
  type FunctionProbe,
} from '../../allowlist/function-program.ts';
import type {
  CallStack,
  FunctionSeen,
  FunctionTrace,
} from '../../parsers/function-trace/function-trace.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { percentile } from '../analysis/histogram.ts';
import { cut, page } from '../page.ts';
import type { Reading } from '../reading.ts';
import type { ChosenFunctions } from './function-choice.ts';
import type { Kept } from './profile-captures.ts';
import { percent, perSecond, round } from './rates.ts';
import type { TracedProcess } from './traced-process.ts';
import { readOffRanges } from './wait-figures.ts';

type Latency = Readonly<{
  /** Calls that began and returned within the window. */
  returned: number;
  avg_ns: number;
  p50_ns: number | null;
  p90_ns: number | null;
  p99_ns: number | null;
  max_ns: number;
  histogram: readonly Readonly<{ min_ns: number; max_ns: number; count: number }>[];
}>;

type FunctionRow = Readonly<{
  function: string;
  module: string | null;
  /** Where the probe is. */
  attached: string;
  calls: number;
  calls_per_s: number | null;
  /** Null where no call returned; absent in other modes. */
  latency?: Latency | null;
}>;

type CallerRow = Readonly<{
  function: string;
  comm: string;
  count: number;
  /** Of the calls of that function. */
  calls_pct: number | null;
  /** Callers, the nearest first. */
  stack: readonly string[];
}>;

export type FunctionReport = Readonly<{
  mode: FunctionMode;
  pid: number | null;
  comm: string | null;
  functions: readonly FunctionRow[];
  /** Mode stacks: the most frequent ways into the functions. */
  callers?: readonly CallerRow[];
  pattern: string | null;
  pattern_matches: number | null;
}> &
  Partial<Kept>;

export type Traced = Readonly<{
  seen: FunctionTrace;
  window_ns: number;
  probes: readonly FunctionProbe[];
  chosen: ChosenFunctions;
  target: TracedProcess | null;
  warnings: readonly string[];
}>;

const most_callers = 30;

/** What was seen, as an answer. Percentiles are read off power-of-two buckets. */
export function reportFunctions(mode: FunctionMode, traced: Traced): Reading<FunctionReport> {
  const { probes, chosen, target } = traced;
  const window_ms = Math.round(traced.window_ns / 1e6);
  const seenOf = (index: number): FunctionSeen =>
    traced.seen.functions.get(index) ?? { calls: 0, latency: null, stacks: [] };
  const functions = probes.map((probe, index): FunctionRow => {
    const seen = seenOf(index);
    return {
      function: probe.name,
      module: chosen.modules.get(probe.name) ?? null,
      attached: attachPoints(probe).entry,
      calls: seen.calls,
      calls_per_s: perSecond(seen.calls, window_ms),
      ...(mode === 'latency' ? { latency: latencyOf(seen) } : {}),
    };
  });
  const callers = probes
    .flatMap(({ name }, index) => callersOf(name, seenOf(index)))
    .sort((a, b) => b.count - a.count);
  const shown = page(callers, { limit: most_callers, offset: 0 });
  return {
    data: {
      mode,
      pid: target?.pid ?? null,
      comm: target?.comm ?? null,
      functions,
      ...(mode === 'stacks' ? { callers: shown.rows } : {}),
      pattern: chosen.expansion?.pattern ?? null,
      pattern_matches: chosen.expansion?.matching ?? null,
    },
    source: `bpftrace (function-${mode}.bt)`,
    summary: inWords(functions, shown.rows, window_ms),
    window_ms,
    ...cut(shown, 'the same call with fewer functions, or with pid'),
    warnings: [...traced.warnings, ...remarks(mode, traced)],
    unavailable: functions.some(({ latency }) => latency) ? [readOffRanges] : [],
  };
}

function latencyOf({ latency }: FunctionSeen): Latency | null {
  if (latency === null) return null;
  const { stats, max_ns, buckets } = latency;
  return {
    returned: stats.count,
    avg_ns: round(stats.total / stats.count),
    p50_ns: percentile(buckets, 0.5, max_ns),
    p90_ns: percentile(buckets, 0.9, max_ns),
    p99_ns: percentile(buckets, 0.99, max_ns),
    max_ns,
    histogram: buckets.map(({ min, max, count }) => ({ min_ns: min, max_ns: max, count })),
  };
}

/** Ways that differ only in the place of the call within a function are one. */
function callersOf(name: string, { calls, stacks }: FunctionSeen): readonly CallerRow[] {
  const rows = new Map<string, CallerRow>();
  for (const { comm, count, frames } of stacks) {
    const stack = withoutProbe(name, frames);
    const key = [comm, ...stack].join('\n');
    const all = (rows.get(key)?.count ?? 0) + count;
    rows.set(key, {
      function: name,
      comm: untrusted(comm, 32),
      count: all,
      calls_pct: percent(all, calls),
      stack,
    });
  }
  return [...rows.values()];
}

/** Above the function stand the frames of the probe itself, where there are any. */
export function withoutProbe(name: string, frames: CallStack['frames']): readonly string[] {
  const symbols = frames.map((frame) => untrusted(frame.replace(/\+\d+$/, ''), 128));
  const own = symbols.indexOf(name);
  return own < 0
    ? symbols.filter((each) => !/^bpf_(?:prog|trampoline)_/.test(each))
    : symbols.slice(own + 1);
}

function remarks(mode: FunctionMode, { chosen, seen }: Traced): readonly string[] {
  const { expansion, names, ambiguous } = chosen;
  const said: string[] = [];
  if (expansion && (expansion.matching > names.length || expansion.refused > 0)) {
    const { pattern, matching, refused } = expansion;
    const left = refused > 0 ? `, ${refused} of which are never traced` : '';
    said.push(`${pattern} fits ${matching} functions${left}; ${names.length} are traced.`);
  }
  if (ambiguous.length > 0) {
    said.push(`Several functions are called ${ambiguous.join(', ')}: one of each is traced.`);
  }
  if (mode !== 'stacks') return said;
  const all = [...seen.functions.values()];
  const calls = all.reduce((sum, each) => sum + each.calls, 0);
  const stacks = all.flatMap((each) => each.stacks).reduce((sum, { count }) => sum + count, 0);
  if (stacks < calls * 0.99)
    said.push(`The stacks of ${calls - stacks} calls did not fit the table.`);
  return said;
}

function inWords(
  functions: readonly FunctionRow[],
  callers: readonly CallerRow[],
  window_ms: number,
): string[] {
  const rows = functions.slice(0, 4).map((row) => {
    const { latency } = row;
    const took = latency
      ? `; p50 ${micro(latency.p50_ns)}, p99 ${micro(latency.p99_ns)}, longest ${micro(latency.max_ns)} us`
      : '';
    return `${row.function}: ${row.calls} calls in ${window_ms / 1000} s (${row.calls_per_s}/s)${took}.`;
  });
  const [most] = callers;
  if (!most) return rows;
  return [
    ...rows,
    `Most by ${most.comm}: ${most.count} through ${most.stack.slice(0, 3).join(' < ')}.`,
  ];
}

const micro = (ns: number | null): string => (ns === null ? '?' : String(round(ns / 1000, 1)));
