import { untrusted } from '../../parsers/untrusted.ts';
import { rankProcesses } from './process-ranking.ts';
import { type ProcessRow, waitOf } from './process-row.ts';
import type { ProcessUse } from './process-use.ts';
import { percent, round } from './rates.ts';
import type { ThreadsUse } from './thread-samples.ts';

type Details = ReadonlyMap<number, ThreadsUse>;

/** Who used the CPU most and who waited longest for one. */
export function rankingLines(uses: readonly ProcessUse[], details: Details): readonly string[] {
  return [topCpu(uses), longestWait(uses, details)];
}

function topCpu(uses: readonly ProcessUse[]): string {
  const busy = rankProcesses(uses, 'cpu', new Map(), 3)
    .map((use) => ({ use, cpu_pct: percent(use.runtime_ms, use.window_ms) ?? 0 }))
    .filter(({ cpu_pct }) => cpu_pct > 0);
  if (busy.length === 0) return 'None of these processes used the CPU in the window.';
  const each = busy.map(({ use, cpu_pct }) => `${nameOf(use)} ${cpu_pct} %`);
  return `Most CPU (100 % is one CPU): ${each.join(', ')}.`;
}

function longestWait(uses: readonly ProcessUse[], details: Details): string {
  const first = rankProcesses(uses, 'wait', details, 1)[0];
  const waited = first && waitOf(first, details.get(first.now.pid));
  if (!first || !waited) return 'Run queue wait is not known here.';
  if (waited.wait_ns === 0) return 'None of these processes waited for a CPU in the window.';
  const wait_ms = waited.wait_ns / 1e6;
  const mean_ms = waited.samples === 0 ? null : round(wait_ms / waited.samples, 3);
  const mean = mean_ms === null ? '' : `, ${mean_ms} ms each on average`;
  const wait_pct = percent(wait_ms, waited.window_ms);
  return (
    `Waited longest for a CPU: ${nameOf(first)} ${round(wait_ms)} ms of ${Math.round(waited.window_ms)} ms ` +
    `(${wait_pct} %${addedUp(wait_pct)}) in ${waited.samples} waits${mean}.`
  );
}

/** Threads wait at the same time. */
const addedUp = (wait_pct: number | null): string =>
  wait_pct !== null && wait_pct > 100 ? ', its threads added up' : '';

const nameOf = ({ now }: ProcessUse): string => `${untrusted(now.comm)} (pid ${now.pid})`;

/** One process in words. */
export function processLines(row: ProcessRow, window_ms: number): readonly string[] {
  const { latency } = row;
  const mean = latency?.avg_ns == null ? '' : `, ${round(latency.avg_ns / 1e6, 3)} ms on average`;
  return [
    `${row.comm} (pid ${row.pid}, threads ${row.threads}, state ${row.state}): ${row.cpu_pct} % CPU ` +
      `over ${Math.round(window_ms)} ms (user ${row.user_pct} %, system ${row.system_pct} %).`,
    row.run_queue_wait_ms === null
      ? 'Run queue wait is not known here.'
      : `Waited ${row.run_queue_wait_ms} ms for a CPU (${row.run_queue_wait_pct} % of the window${addedUp(row.run_queue_wait_pct)}), ` +
        `${latency?.samples ?? 0} waits${mean}.`,
    `Context switches ${told(row.switches_per_s)}/s (voluntary ${told(row.voluntary_per_s)}, involuntary ` +
      `${told(row.involuntary_per_s)}); migrations ${told(row.migrations_per_s)}/s, ${told(row.nr_migrations_total)} since start.`,
    `Last on CPU ${told(row.last_cpu)}, may use ${told(row.cpus_allowed)}; ${told(row.policy)}, nice ${told(row.nice)}.`,
  ];
}

const told = (value: string | number | null): string =>
  value === null ? 'unknown' : String(value);
