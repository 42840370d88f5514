import { switchesOf, waitOf } from './process-row.ts';
import type { ProcessUse } from './process-use.ts';
import type { ThreadsUse } from './thread-samples.ts';

export const process_sorts = [
  'cpu',
  'wait',
  'rss',
  'switches',
  'migrations',
  'threads',
  'pid',
] as const;

export type ProcessSort = (typeof process_sorts)[number];

export type Details = ReadonlyMap<number, ThreadsUse>;

/**
 * The first `count` processes in the order asked for. Those without the figure come last, ties by
 * CPU time. Few of many are picked in one pass: to sort 100,000 for twenty takes memory and time.
 */
export function rankProcesses(
  uses: readonly ProcessUse[],
  sort: ProcessSort,
  details: Details,
  count = uses.length,
): readonly ProcessUse[] {
  const key = (use: ProcessUse): number => sortKey(use, sort, details.get(use.now.pid));
  const order = (a: ProcessUse, b: ProcessUse): number =>
    key(b) - key(a) || cpuShare(b) - cpuShare(a) || a.now.pid - b.now.pid;
  if (count > 256) return uses.toSorted(order).slice(0, count);
  const first: ProcessUse[] = [];
  for (const use of uses) {
    const last = first[count - 1];
    if (last !== undefined && order(last, use) < 0) continue;
    if (last !== undefined) first.pop();
    const at = first.findIndex((each) => order(use, each) < 0);
    first.splice(at < 0 ? first.length : at, 0, use);
  }
  return first;
}

const cpuShare = (use: ProcessUse): number => use.runtime_ms / use.window_ms;

function sortKey(use: ProcessUse, sort: ProcessSort, detail: ThreadsUse | undefined): number {
  switch (sort) {
    case 'cpu':
      return cpuShare(use);
    case 'wait': {
      const waited = waitOf(use, detail);
      return waited === null ? -1 : waited.wait_ns / waited.window_ms;
    }
    case 'rss':
      return use.now.rss_pages;
    case 'threads':
      return use.now.threads;
    case 'pid':
      return -use.now.pid;
    case 'switches':
      return rate(switchesOf(detail), detail);
    case 'migrations':
      return rate(detail?.used.migrations ?? null, detail);
  }
}

const rate = (count: number | null, detail: ThreadsUse | undefined): number =>
  count === null || detail === undefined ? -1 : count / detail.window_ms;

/** How rows of an answer were ordered, in words. */
export const ranking: Readonly<Record<ProcessSort, string>> = {
  cpu: 'CPU time in the window',
  wait: 'run queue wait in the window, per time',
  rss: 'resident memory now',
  switches: 'context switches per second in the detail window',
  migrations: 'migrations per second in the detail window',
  threads: 'number of threads now',
  pid: 'pid, lowest first',
};

/**
 * Processes that can have switched, migrated or waited in the window: they ran, were runnable or
 * began. The busiest first, until `max_threads` threads are together.
 */
export function activeProcesses(
  uses: readonly ProcessUse[],
  max_threads: number,
  threadsOf: (use: ProcessUse) => number,
): Readonly<{ chosen: readonly ProcessUse[]; left_out: number }> {
  const active = rankProcesses(uses.filter(isActive), 'cpu', new Map());
  let threads = 0;
  const chosen = active.filter((use) => {
    threads += threadsOf(use);
    return threads <= max_threads;
  });
  return { chosen, left_out: active.length - chosen.length };
}

const isActive = (use: ProcessUse): boolean =>
  use.runtime_ms > 0 ||
  use.started_in_window ||
  use.now.state === 'R' ||
  (use.waited?.samples ?? 0) > 0;
