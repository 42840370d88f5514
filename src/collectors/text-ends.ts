import { untrusted } from '../../parsers/untrusted.ts';

/** Beginning and end of a long text, and how long it was. */
export type TextEnds = Readonly<{ head: string; tail: string; bytes: number }>;

const kept = 16 * 1024;

/** Collects a text that may have no end; of the middle only the length stays. */
export function endsOfText() {
  let head = '';
  let tail = '';
  let bytes = 0;
  return {
    push(text: string): void {
      bytes += Buffer.byteLength(text);
      const room = kept - head.length;
      head += text.slice(0, Math.max(0, room));
      tail = (tail + text.slice(Math.max(0, room))).slice(-kept);
    },
    ends: (): TextEnds => ({ head, tail, bytes }),
  };
}

/** The last lines, made printable, for an error or a report. */
export function lastLines({ head, tail }: TextEnds, count: number): string[] {
  return (head + tail)
    .split('\n')
    .map((line) => untrusted(line, 300))
    .filter((line) => line !== '')
    .slice(-count);
}
