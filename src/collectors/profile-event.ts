import { hardwareEvents, type PerfEvent, softwareEvents } from '../../allowlist/perf-record.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { TracewrightError } from '../errors.ts';

/** An event as asked for, in perf's terms, and what the caller should know about it. */
export type EventChoice = Readonly<{ event: PerfEvent; name: string; notes: readonly string[] }>;

export const cpu_clock: PerfEvent = { kind: 'sw', name: 'cpu-clock' };

/** The documented name of the default says hardware; the kernel's clock is software. */
const alias = 'hw:cpu-clock';

const part = /^[a-z][a-z0-9_-]{0,63}$/i;

/**
 * Reads `hw:NAME`, `sw:NAME`, `tracepoint:SUBSYSTEM:NAME`, or one of those without its first word.
 * INVALID_PARAMS says which events there are.
 */
export function parseProfileEvent(text: string): EventChoice {
  if (text === alias) {
    return {
      event: cpu_clock,
      name: 'sw:cpu-clock',
      notes: ['hw:cpu-clock means sw:cpu-clock: the clock of the kernel, not a processor counter.'],
    };
  }
  const event = counter(text) ?? tracepoint(text);
  if (event === null) throw unknownEvent(text);
  return { event, name: eventName(event), notes: [] };
}

export function eventName(event: PerfEvent): string {
  if (event.kind === 'tracepoint') return `tracepoint:${event.subsystem}:${event.name}`;
  return `${event.kind}:${event.name}`;
}

function counter(text: string): PerfEvent | null {
  const hardware = hardwareEvents.find((name) => text === name || text === `hw:${name}`);
  if (hardware !== undefined) return { kind: 'hw', name: hardware };
  const software = softwareEvents.find((name) => text === name || text === `sw:${name}`);
  return software === undefined ? null : { kind: 'sw', name: software };
}

function tracepoint(text: string): PerfEvent | null {
  const [subsystem = '', name = '', ...more] = text.replace(/^tracepoint:/, '').split(':');
  const reserved = subsystem === 'hw' || subsystem === 'sw';
  if (reserved || more.length > 0 || !part.test(subsystem) || !part.test(name)) return null;
  return { kind: 'tracepoint', subsystem, name };
}

function unknownEvent(text: string): TracewrightError {
  return new TracewrightError(
    'INVALID_PARAMS',
    `There is no event "${untrusted(text, 60)}".`,
    `Use sw:NAME (${softwareEvents.join(', ')}), hw:NAME (${hardwareEvents.join(', ')}) or tracepoint:SUBSYSTEM:NAME from list_events.`,
  );
}
