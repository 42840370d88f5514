import type { NumberedEvent } from '../../parsers/stream/stream-json.ts';
import type { Reading } from '../reading.ts';
import type { StreamEvents } from './event-stream.ts';
import { perSecond, round } from './rates.ts';

type Told = Omit<Reading<StreamEvents>, 'data' | 'unavailable'>;

/** What a reader got, as a person would say it, and how it was measured. */
export function eventsInWords(data: StreamEvents): Told {
  const { events, dropped, pending, next_seq } = data;
  const window_ms = windowOf(events);
  return {
    source: 'bpftrace, /proc and /sys',
    summary: [
      ...counted(data, window_ms),
      ...worstLatency(events),
      ...alerts(events),
      ...losses(data),
    ],
    ...(window_ms === null ? {} : { window_ms }),
    lost_events: dropped.kernel_buffer + dropped.ring_overflow,
    ...(pending === 0
      ? {}
      : { truncated: true, total: events.length + pending, next: `after=${next_seq}` }),
  };
}

/** Time from the first to the last of them; null for less than two. */
function windowOf(events: readonly NumberedEvent[]): number | null {
  const times = events.flatMap(({ ts }) => (ts === null ? [] : [ts]));
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || last <= first) return null;
  return round((last - first) / 1_000_000, 3);
}

function counted({ events, state, sample }: StreamEvents, window_ms: number | null): string[] {
  if (events.length === 0) return [`No events; tracking is ${state}.`];
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  const types = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 6)
    .map(([type, count]) => `${count} ${type}`);
  const rate = window_ms === null ? null : perSecond(events.length, window_ms);
  const over = rate === null ? '' : ` in ${window_ms} ms (${rate}/s)`;
  const sampled =
    sample === 1
      ? ''
      : ` One task in ${sample} is tracked: the host has about ${sample} times as many.`;
  return [`${events.length} events${over}: ${types.join(', ')}.${sampled}`];
}

/** The longest that a task waited for a CPU. */
function worstLatency(events: readonly NumberedEvent[]): string[] {
  let worst: NumberedEvent | null = null;
  let worst_us = 0;
  for (const event of events) {
    const latency = event['next_wakeup_lat_us'];
    if (typeof latency !== 'number' || latency <= worst_us) continue;
    worst = event;
    worst_us = latency;
  }
  if (worst === null) return [];
  const { next_comm, next_pid, cpu } = worst;
  return [
    `Longest wait for a CPU: ${worst_us} us, ${String(next_comm)} (pid ${String(next_pid)}) on CPU ${cpu}.`,
  ];
}

function alerts(events: readonly NumberedEvent[]): string[] {
  const all = events.filter(({ type }) => type === 'alert');
  return all.slice(0, 2).map(({ message, rule }) => `Alert: ${String(message ?? rule)}`);
}

function losses({ dropped, pending }: StreamEvents): string[] {
  const { kernel_buffer, ring_overflow, unparsable } = dropped;
  const lost = [
    [kernel_buffer, 'lost between the kernel and bpftrace'],
    [ring_overflow, 'overwritten before they were read'],
    [unparsable, 'not readable'],
  ] as const;
  const parts = lost.filter(([count]) => count > 0).map(([count, why]) => `${count} ${why}`);
  return [
    ...(parts.length === 0 ? [] : [`Dropped: ${parts.join(', ')}.`]),
    ...(pending === 0 ? [] : [`${pending} more are waiting to be read.`]),
  ];
}
