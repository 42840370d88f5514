import { min_requests } from '../analysis/use-signals.ts';
import type { DiskFacts } from './disk-devices.ts';
import type { DiskRow } from './disk-rates.ts';

/** A mean wait that is good, and one that is bad, in ms. */
const bands = {
  nvme: { good: 1, bad: 5 },
  ssd: { good: 5, bad: 15 },
  hdd: { good: 10, bad: 30 },
} as const;

const busy_pct = 80;
const slow_ms = 20;
const long_queue = 4;

/** What stands out, in words. */
export function diskNotes(rows: readonly (DiskRow & DiskFacts)[]): readonly string[] {
  return rows.filter(({ kind }) => kind !== 'partition').flatMap(notesOn);
}

function notesOn(row: DiskRow & DiskFacts): string[] {
  const { name, utilization, avg_queue_size, requests } = row;
  const enough = (requests ?? 0) >= min_requests;
  return [
    ...(utilization !== null && utilization > busy_pct
      ? [
          `${name} was busy ${utilization} % of the time` +
            (row.medium === 'hdd'
              ? '.'
              : '; a device that serves many requests at once may have room.'),
        ]
      : []),
    ...(enough ? waitNote(row) : []),
    ...(avg_queue_size !== null && avg_queue_size > long_queue
      ? [`${name} had ${avg_queue_size} requests under way on average.`]
      : []),
  ];
}

function waitNote({ name, avg_wait_ms, medium }: DiskRow & DiskFacts): string[] {
  if (avg_wait_ms === null) return [];
  if (medium === null) {
    return avg_wait_ms > slow_ms ? [`A request to ${name} took ${avg_wait_ms} ms on average.`] : [];
  }
  const { good, bad } = bands[medium];
  if (avg_wait_ms <= bad) return [];
  return [
    `A request to ${name} took ${avg_wait_ms} ms on average: a good ${medium} needs less than ` +
      `${good} ms.`,
  ];
}
