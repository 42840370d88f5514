import { approve, type Command, integer } from './command.ts';
import { programs } from './programs.ts';

/** Time that perf may need beside the window, to open a counter per CPU and to print. */
const startup_ms = 5000;

export const perfStat = {
  /**
   * Counts context switches and migrations on every CPU. JSON goes to stdout through --log-fd, since
   * perf stat prints on stderr, of which only the first KiB are kept.
   */
  perCpu(window_ms: number): Command {
    return approve({
      program: programs.perf,
      args: [
        'stat',
        '-a',
        '-A',
        '-j',
        '--log-fd',
        '1',
        '-e',
        'context-switches,cpu-migrations',
        '--timeout',
        integer('window_ms', window_ms, 100, 11_000),
      ],
      limits: { duration_ms: window_ms + startup_ms, output_bytes: 4 * 1024 * 1024 },
      subject: { window_ms },
      request: { maker: 'perfStatPerCpu', parameters: { window_ms } },
    });
  },
} as const;
