import type { Command } from '../allowlist/command.ts';
import type { Context } from '../src/context.ts';

/**
 * A bpftrace that prints its maps on SIGWINCH, as scripts/bpftrace/sched-*.bt do, without the rest
 * of bpftrace. `commands` fills as it is started.
 */
export function fakeTracer(maps: () => string) {
  const commands: Command[] = [];
  let running = 0;
  let prints = 0;
  let dies_at = Number.POSITIVE_INFINITY;

  const start: Context['start'] = (command, options) => {
    commands.push(command);
    running += 1;
    let end = (): void => {};
    const finished = new Promise<Awaited<ReturnType<Context['run']>>>((resolve) => {
      end = () => {
        running -= 1;
        const ended = { exit_code: 0, signal: null, stopped_by: 'caller', duration_ms: 1 } as const;
        resolve({ stdout: '', stderr: 'ERROR: it died', ...ended });
      };
    });
    options?.onStdout?.('{"type": "attached_probes", "data": {"probes": 9}}\n');
    options?.onStdout?.('{"type": "printf", "data": "attached\\n"}\n');
    return Promise.resolve({
      pid: 4242,
      finished,
      stop: end,
      printMaps(signal) {
        prints += 1;
        if (prints >= dies_at) return end();
        if (signal !== 'SIGWINCH') throw new Error(`not on ${signal}`);
        const end_of_print = `{"type": "map", "data": {"@prints": ${prints}}}`;
        const text = `${maps()}\n\n${end_of_print}\n`;
        // In two pieces, torn anywhere.
        options?.onStdout?.(text.slice(0, 100));
        options?.onStdout?.(text.slice(100));
      },
      control: () => {
        throw new Error('no control pipe');
      },
    });
  };
  return {
    commands,
    start,
    running: () => running,
    /** It ends at a print: the first is 1. */
    dieAt(print: number): void {
      dies_at = print;
    },
  };
}

/** A record of `bpftrace -f json`. */
export const record = (type: 'map' | 'stats' | 'hist', name: string, values: object): string =>
  JSON.stringify({ type, data: { [name]: values } }).replace('{"type":', '{"type": ');

type Wait = Readonly<{ min: number; max: number; count: number }>;

/** The three maps of waits: `waits` by key. Each counts as the lowest of its range. */
export function waitMaps(waits: Readonly<Record<string, readonly Wait[]>>, max: object): string {
  const stats = Object.entries(waits).map(([key, buckets]) => {
    const count = buckets.reduce((sum, each) => sum + each.count, 0);
    const total = buckets.reduce((sum, each) => sum + each.count * each.min, 0);
    return [key, { count, average: Math.floor(total / count), total }] as const;
  });
  return [
    record('hist', '@wait_hist', waits),
    record('stats', '@wait_ns', Object.fromEntries(stats)),
    record('map', '@wait_max', max),
  ].join('\n');
}
