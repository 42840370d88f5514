import type { NumberedEvent } from '../../parsers/stream/stream-json.ts';

/** Turns time stamps of the kernel into times of the day. */
export type WallClock = (ts: number) => string;

export function wallClock(now: Date, monotonic_ns: number): WallClock {
  const boot_us = now.getTime() * 1000 - monotonic_ns / 1000;
  return (ts) => {
    const us = Math.round(boot_us + ts / 1000);
    const at = new Date(us / 1000);
    const [hours, minutes, seconds] = [at.getHours(), at.getMinutes(), at.getSeconds()].map(
      (each) => String(each).padStart(2, '0'),
    );
    const micros = String(us % 1_000_000).padStart(6, '0');
    return `${hours}:${minutes}:${seconds}.${micros}`;
  };
}

const reset = '\u001b[0m';
const dim = '\u001b[2m';
const plain = '\u001b[36m';
/** What stands out. Every other type has the same colour. */
const colours: Readonly<Record<string, string>> = {
  alert: '\u001b[1;31m',
  sched_hang: '\u001b[1;31m',
  scheduler_load: '\u001b[1;33m',
  scheduler_unload: '\u001b[1;33m',
  sched_migrate_task: '\u001b[33m',
  fork: '\u001b[32m',
  exec: '\u001b[32m',
  exit: '\u001b[35m',
  sched_wakeup: '\u001b[34m',
  sched_wakeup_new: '\u001b[34m',
  trace_started: dim,
  trace_stopped: dim,
  system_stat: dim,
};

/** One event on one line: time, CPU, type, then its fields by name; empty ones are left out. */
export function eventLine(event: NumberedEvent, clock: WallClock, isColoured: boolean): string {
  const { seq: _seq, type, ts, cpu, ...fields } = event;
  const time = ts === null ? ' '.repeat(15) : clock(ts);
  const place = (cpu === null ? '' : `cpu${cpu}`).padEnd(6);
  const name = type.padEnd(18);
  const shown = isColoured ? `${colours[type] ?? plain}${name}${reset}` : name;
  return `${time} ${place} ${shown} ${words(fields)}`.trimEnd();
}

function words(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}=${word(value)}`)
    .join(' ');
}

const word = (value: unknown): string =>
  typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
