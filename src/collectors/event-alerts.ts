import type { StreamEvent } from '../../parsers/stream/stream.ts';

/** Decides which of the kernel program's findings become an alert. */
export type AlertGate = Readonly<{
  /** The alert to emit, or null where the same was told a short while ago. */
  judge(candidate: StreamEvent, now_ms: number): StreamEvent | null;
  emitted(): number;
  /** Findings that were part of a trouble already told. */
  repeated(): number;
}>;

/** A trouble that goes on is told again after so long, with how often it was found meanwhile. */
export const cooldown_ms = 10_000;
/** Subjects that are remembered: a host has more processes than are worth an alert at once. */
const most_subjects = 1000;

type Told = { at_ms: number; repeated: number };

export function alertGate(): AlertGate {
  const told = new Map<string, Told>();
  let emitted = 0;
  let repeated = 0;
  return {
    judge(candidate, now_ms) {
      const subject = subjectOf(candidate);
      const before = told.get(subject);
      if (before && now_ms - before.at_ms < cooldown_ms) {
        before.repeated += 1;
        repeated += 1;
        return null;
      }
      told.delete(subject);
      told.set(subject, { at_ms: now_ms, repeated: 0 });
      const [oldest] = told.keys();
      if (told.size > most_subjects && oldest !== undefined) told.delete(oldest);
      emitted += 1;
      return { ...candidate, repeated: before?.repeated ?? 0 };
    },
    emitted: () => emitted,
    repeated: () => repeated,
  };
}

/** One rule on one CPU or one process. */
function subjectOf({ rule, cpu, pid, tgid }: StreamEvent): string {
  return `${String(rule)} ${String(rule === 'migrations' ? (tgid ?? pid) : cpu)}`;
}
