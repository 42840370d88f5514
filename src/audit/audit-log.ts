import type { AuditSink } from './audit-file.ts';
import { auditEntry, type EntryParts } from './entry.ts';

export type AuditLog = Readonly<{
  add(parts: EntryParts): void;
  /** Lines that could not be written so far. */
  lost(): number;
  /** What is left, at the end of the process. */
  finish(): void;
}>;

const most_lines = 1000;
const most_bytes = 4 * 1024 * 1024;
const complaint_interval_ms = 60_000;

/**
 * Lines on their way to a sink, which nobody waits for. What the sink does not take in time, or
 * refuses, is lost: counted, told on stderr, and by a line of its own once lines get through again.
 */
export function auditLog(
  sink: AuditSink,
  now: () => Date,
  complain: (message: string) => void,
): AuditLog {
  let waiting: string[] = [];
  let waiting_bytes = 0;
  let underway = 0;
  let lost = 0;
  let untold = 0;
  let complained_ms = Number.NEGATIVE_INFINITY;

  function lose(count: number, reason: string): void {
    lost += count;
    untold += count;
    const since_ms = now().getTime() - complained_ms;
    // A clock that was put back says nothing of how long it is since then.
    if (since_ms >= 0 && since_ms < complaint_interval_ms) return;
    complained_ms = now().getTime();
    complain(`${lost} lines of the audit are lost (${sink.place}): ${reason}`);
  }

  function take(): string {
    const told = untold;
    untold = 0;
    // What was lost last may have left half a line.
    const note = told === 0 ? [] : [`\n${lineOf({ decision: 'lost', lost: told })}`];
    const text = [...note, ...waiting].join('');
    waiting = [];
    waiting_bytes = 0;
    return text;
  }

  function flush(): void {
    if (underway > 0 || waiting.length === 0) return;
    const told = untold;
    underway = waiting.length;
    sink.write(take(), (error) => {
      const count = underway;
      underway = 0;
      if (error) {
        untold += told;
        lose(count, error.message);
      }
      flush();
    });
  }

  const lineOf = (parts: EntryParts): string => `${JSON.stringify(auditEntry(now(), parts))}\n`;

  return {
    add(parts) {
      const line = lineOf(parts);
      if (waiting.length >= most_lines || waiting_bytes + line.length > most_bytes) {
        lose(1, 'they come faster than they can be written');
        return;
      }
      waiting.push(line);
      waiting_bytes += line.length;
      flush();
    },
    lost: () => lost,
    finish() {
      const count = waiting.length;
      if (count === 0) return;
      try {
        sink.writeNow(take());
      } catch (error) {
        lose(count, error instanceof Error ? error.message : String(error));
      }
    },
  };
}
