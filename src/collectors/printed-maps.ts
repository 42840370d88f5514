import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Tracer } from './bpftrace-tracer.ts';

/** What a program printed on one request, and when all of it had arrived. */
export type Print = Readonly<{ text: string; at_ms: number }>;

/** A busy or emulated host takes its time; no answer at all means that the program does not listen. */
const longest_ms = 20_000;

/**
 * Takes in the output (JSON) of a program that prints its maps each time that it is sent SIGWINCH,
 * with `@prints`, which counts the requests, as the last of them. bpftrace itself prints on SIGUSR1
 * up to 0.21 only, all maps and when it next wakes up; the end of a print shows nowhere.
 */
export function mapPrints(ctx: Context) {
  let rest = '';
  let lines: string[] = [];
  let attached = false;
  let requested = 0;
  let answered = 0;
  let last: Print = { text: '', at_ms: 0 };

  const take = (line: string): void => {
    if (line === printed('attached')) attached = true;
    const count = requestCount(line);
    if (count === null) {
      lines.push(line);
      return;
    }
    last = { text: lines.join('\n'), at_ms: ctx.monotonicMs() };
    answered = count;
    lines = [];
  };

  return {
    push(text: string): void {
      const whole = (rest + text).split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) take(line);
    },
    /** The program has printed "attached" in BEGIN, which is read once all probes are. */
    attached: (): boolean => attached,
    /** Has the maps printed and waits for all of them. */
    async next(tracer: Tracer, { signal }: Pick<Call, 'signal'>): Promise<Print> {
      // One that was canceled may still be under way.
      const wanted = Math.max(requested, answered) + 1;
      requested = wanted;
      const until_ms = ctx.monotonicMs() + longest_ms;
      tracer.printMaps('SIGWINCH');
      await tracer.until(() => {
        if (ctx.monotonicMs() > until_ms) throw silent();
        return answered >= wanted;
      }, signal);
      return last;
    },
  };
}

const printed = (text: string): string => `{"type": "printf", "data": "${text}\\n"}`;

function requestCount(line: string): number | null {
  const count = /^\{"type": "map", "data": \{"@prints": (\d+)\}\}$/.exec(line)?.[1];
  return count === undefined ? null : Number(count);
}

const silent = (): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    `bpftrace did not print its maps within ${longest_ms / 1000} s.`,
    'Try again when the host is less busy; else run `tracewright doctor` and report this.',
  );
