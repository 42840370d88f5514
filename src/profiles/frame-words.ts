import { untrusted } from '../../parsers/untrusted.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

/** A name for people: printable and no longer than `max`; where there is none, its module. */
export function frameName({ name, module }: Frame, max = 200): string {
  const clean = untrusted(name, max);
  if (clean !== '' && clean !== '[unknown]') return clean;
  return module === null ? '[unknown]' : `[unknown] in ${moduleName(module)}`;
}

/** The name with the file it comes from; the core kernel goes without saying. */
export function frameLabel(frame: Frame, max = 200): string {
  const { module, name } = frame;
  const known = name !== '' && name !== '[unknown]';
  if (module === null || module.startsWith('[kernel') || !known) return frameName(frame, max);
  return `${frameName(frame, max)} [${moduleName(module)}]`;
}

export function moduleName(module: string): string {
  const clean = untrusted(module, 200);
  return clean.slice(clean.lastIndexOf('/') + 1).replace(/^\[(.*)\]$/, '$1');
}

/** "1234 samples", "12.3 ms", "4.5 MB". */
export function weightText(weight: number, unit: StackProfile['unit']): string {
  if (unit === 'ns') return timeText(weight);
  if (unit === 'bytes') return `${figure(weight / 1_000_000)} MB`;
  return `${figure(weight)} ${unit === 'count' ? 'events' : 'samples'}`;
}

function timeText(ns: number): string {
  if (ns >= 1e9) return `${figure(ns / 1e9)} s`;
  return ns >= 1e6 ? `${figure(ns / 1e6)} ms` : `${figure(ns / 1e3)} us`;
}

const figure = (value: number): string => String(Math.round(value * 100) / 100);

/** Percent with two decimals; 0 of nothing. */
export const sharePct = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
