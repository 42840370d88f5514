import type { StreamEvents } from '../collectors/event-stream.ts';

export type Footer = Readonly<{
  /** Takes the footer away, before lines are printed. */
  clear(): void;
  /** Counts what came and puts the footer below it. */
  show(data: StreamEvents, now_ms: number): void;
  end(): void;
}>;

/** The rate and the losses so far, on the last line of a terminal; nothing where there is none. */
export function footer(terminal: Readonly<{ write(text: string): unknown }> | null): Footer {
  const erase = '\r\u001b[K';
  let begun_ms: number | null = null;
  let seen = 0;
  let dropped = 0;
  let text = '';
  return {
    clear: () => void terminal?.write(erase),
    show(data, now_ms) {
      begun_ms ??= now_ms;
      const { kernel_buffer, ring_overflow, unparsable } = data.dropped;
      seen += data.seen;
      dropped += kernel_buffer + ring_overflow + unparsable;
      const seconds = (now_ms - begun_ms) / 1000;
      const rate = seconds > 0 ? Math.round(seen / seconds) : 0;
      const waiting = data.pending === 0 ? '' : `, ${data.pending} waiting`;
      text = `${seen} events in ${seconds.toFixed(1)} s (${rate}/s), ${dropped} dropped${waiting}`;
      terminal?.write(erase + text);
    },
    end: () => void terminal?.write(`${erase}${text}\n`),
  };
}
