import type { U64 } from '../big-json.ts';
import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Counters of a sched_ext scheduler by name, as the kernel spells them. */
export type ScxEvents = Readonly<Record<string, U64>>;

const counter = /^(\w+) (-?\d{1,20})$/;

/**
 * `/sys/kernel/sched_ext/root/events` (kernel/sched/ext.c, since 6.15): what happened since the
 * scheduler was loaded.
 *
 *     SCX_EV_SELECT_CPU_FALLBACK 0
 *     SCX_EV_REFILL_SLICE_DFL 456789
 *
 * The kernel sums them over all CPUs. SCX_EV_BYPASS_DURATION is in ns, the others count. Versions
 * add and rename counters, so every name is taken as it is. Other lines become warnings.
 */
export function parseScxEvents(text: string): Parsed<ScxEvents> {
  const warnings: ParseWarning[] = [];
  const counters: [string, U64][] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, name, digits] = counter.exec(line) ?? [];
    if (name === undefined || digits === undefined) {
      warnings.push(warn(index + 1, 'not "<name> <number>"', line));
      continue;
    }
    const value = Number(digits);
    counters.push([name, Number.isSafeInteger(value) ? value : digits]);
  }
  return { data: Object.fromEntries(counters), warnings };
}
