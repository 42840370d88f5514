import { isLibc } from '../../allowlist/libc-program.ts';
import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import {
  type NameLookup,
  type OpenLookup,
  parseGethostlatency,
  parseGethostlatencyTable,
} from '../../parsers/gethostlatency/gethostlatency.ts';
import { exactPercentile, groupBy } from '../analysis/ranking.ts';
import type { Call, Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import {
  boundedTrace,
  fixOfBest,
  type Rung,
  type SkippedMethod,
  traceParts,
} from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { traceToolRung } from './trace-tool-rung.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{ duration_seconds: number; pid?: number | undefined }>;

/** What a tracer saw; null where it tells of lookups only when they end. */
type Lookups = Readonly<{
  lookups: readonly NameLookup[];
  unanswered: readonly OpenLookup[] | null;
}>;

const most_queries = 40;
const most_unanswered = 20;
const most_groups = 20;
const slow_ms = 100;

/**
 * How long programs waited for addresses of names, as the C library answered them.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectDnsLatency(ctx: Context, query: Query, call: Call) {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const rungs = dnsRungs(ctx, duration_ms, process?.pid ?? null);
  const result = await boundedTrace(ctx, { kind: 'name lookups', duration_ms, rungs }, call);
  const { method, ...parts } = traceParts(result, 'lookups of names');
  const { lookups, unanswered } = result.traced?.value ?? { lookups: null, unanswered: null };
  const slowest = lookups?.toSorted((a, b) => b.took_ns - a.took_ns) ?? [];
  return {
    data: {
      method,
      skipped_methods: result.skipped,
      duration_seconds: query.duration_seconds,
      ...(process === null ? {} : { filter_pid: process.pid }),
      queries: lookups && slowest.slice(0, most_queries).map(queryRow),
      summary: lookups && summaryOf(lookups, unanswered),
      /** Those that still waited for an answer when the window ended. */
      unanswered: unanswered?.slice(0, most_unanswered).map(openRow) ?? null,
      truncated: slowest.length > most_queries,
      notes: lookups ? notesOf(lookups) : [],
    },
    ...parts,
    ...(slowest.length > most_queries
      ? { truncated: true, total: slowest.length, next: 'perf_dns_latency with pid' }
      : {}),
    unavailable: [
      ...parts.unavailable,
      ...(lookups && !unanswered ? [noUnanswered(method, result.skipped)] : []),
    ],
    summary: lookups
      ? inWords(slowest, unanswered ?? [], parts.window_ms ?? 0)
      : ['Lookups of names could not be traced: see unavailable.'],
  };
}

function summaryOf(lookups: readonly NameLookup[], unanswered: Lookups['unanswered']) {
  return {
    total_queries: lookups.length,
    unanswered_queries: unanswered?.length ?? null,
    failed_queries: lookups.some(({ result }) => result === null)
      ? null
      : lookups.filter(({ result }) => result !== 0).length,
    ...times(lookups),
    by_host: groups(lookups, ({ host }) => host),
    by_process: groups(lookups, ({ comm }) => comm),
  };
}

const noUnanswered = (method: string | null, skipped: readonly SkippedMethod[]): Unavailable =>
  method === 'bpftrace'
    ? {
        what: 'unanswered',
        reason: 'bpftrace ended before it told which lookups still waited, or lost events.',
        fix: null,
      }
    : {
        what: 'unanswered',
        reason: 'gethostlatency tells of lookups only when they end.',
        fix: fixOfBest(skipped),
      };

/** How lookups can be traced, best first. */
export function dnsRungs(
  ctx: Context,
  duration_ms: number,
  pid: number | null,
): readonly Rung<Lookups>[] {
  const libc = ownLibc(ctx);
  const ours = bpftraceRung(ctx, {
    script: 'gethostlatency',
    duration_ms,
    parameters: [pid ?? 0],
    needs: { pid: pid !== null },
    string_bytes: 200,
    ...(libc === undefined
      ? {}
      : { fitted: { kind: 'libc', name: 'gethostlatency', libc } as const }),
    parse: parseGethostlatency,
  });
  const tool = (family: TraceToolFamily) =>
    traceToolRung(ctx, {
      family,
      tool: 'gethostlatency',
      args: pid === null ? [] : [['-p', pid] as const],
      duration_ms,
      endless: true,
      needs: { pid: pid !== null },
      parse: (text): Lookups => ({ lookups: parseGethostlatencyTable(text), unanswered: null }),
    });
  return [ours, tool('libbpf'), tool('bcc')];
}

/** The C library that this process itself runs with. */
function ownLibc({ files }: Context): string | undefined {
  const maps = files.text('/proc/self/maps') ?? '';
  return maps
    .split('\n')
    .flatMap((line) => / (\/\S+)$/.exec(line)?.[1] ?? [])
    .find(isLibc);
}

function queryRow({ at_ns, pid, comm, took_ns, result, host }: NameLookup) {
  return {
    timestamp: at_ns === null ? null : Math.round(at_ns / 1e3) / 1e6,
    pid,
    comm,
    latency_ms: ms(took_ns),
    result: result === null ? null : (reasons[result] ?? `error ${result}`),
    host,
  };
}

const openRow = ({ pid, comm, waited_ns, host }: OpenLookup) => ({
  pid,
  comm,
  waited_ms: ms(waited_ns),
  host: host === '' ? null : host,
});

/** EAI_* of netdb.h of glibc; 1 is what scripts/bpftrace/gethostlatency.bt says of gethostbyname. */
const reasons: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'failed',
  '-2': 'name not known',
  '-3': 'temporary failure: no name server answered',
  '-4': 'failed for good',
  '-5': 'no address of this family',
  '-6': 'family not supported',
  '-8': 'service not known',
  '-10': 'out of memory',
  '-11': 'system error',
};

function times(lookups: readonly NameLookup[]) {
  const values = lookups.map(({ took_ns }) => took_ns);
  const at = (share: number): number | null => {
    const value = exactPercentile(values, share);
    return value === null ? null : ms(value);
  };
  return {
    avg_latency_ms:
      values.length === 0 ? null : ms(values.reduce((a, b) => a + b, 0) / values.length),
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    max_latency_ms: at(1),
  };
}

function groups(lookups: readonly NameLookup[], key: (lookup: NameLookup) => string) {
  return groupBy(lookups, key)
    .slice(0, most_groups)
    .map(({ key: name, rows }) => ({ name, count: rows.length, ...times(rows) }));
}

function notesOf(lookups: readonly NameLookup[]): string[] {
  const slow = groups(lookups, ({ host }) => host).filter(
    ({ avg_latency_ms }) => (avg_latency_ms ?? 0) > slow_ms,
  );
  return [
    ...slow
      .slice(0, 3)
      .map(({ name, avg_latency_ms }) => `${name} takes ${avg_latency_ms} ms on average.`),
    'Only lookups through the C library of the host are seen: not those of Go, Java or containers.',
  ];
}

function inWords(
  slowest: readonly NameLookup[],
  unanswered: readonly OpenLookup[],
  window_ms: number,
): string[] {
  const [worst] = slowest;
  const [longest] = unanswered;
  const waiting = longest
    ? [
        `${unanswered.length} lookups still wait, longest: ${longest.host || 'a name'} for ${longest.comm} (${longest.pid}), ${ms(longest.waited_ns)} ms so far.`,
      ]
    : [];
  if (!worst) return [`No lookup of a name ended in ${window_ms} ms.`, ...waiting];
  const { avg_latency_ms, p95_ms, max_latency_ms } = times(slowest);
  const failed = slowest.filter(({ result }) => result !== null && result !== 0);
  return [
    `${slowest.length} names were looked up in ${window_ms} ms: ${avg_latency_ms} ms on average, p95 ${p95_ms} ms, max ${max_latency_ms} ms.`,
    `Slowest: ${worst.host} for ${worst.comm} (${worst.pid}), ${ms(worst.took_ns)} ms.`,
    ...(failed.length > 0 ? [`${failed.length} failed, e.g. ${failed[0]?.host}.`] : []),
    ...waiting,
  ];
}

const ms = (ns: number): number => Math.round(ns / 1e3) / 1e3;
