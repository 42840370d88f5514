import { readFileSync, writeFileSync } from 'node:fs';
import { bpf_stats, isAbandoned, mark, unmark } from './bpf-stats-marker.ts';

/**
 * Has the kernel count the run time of BPF programs for `ms`, then puts the setting back as it was;
 * also on SIGTERM, SIGINT and SIGHUP. Prints "on" once it counts. A setting that is already on
 * belongs to somebody else and is left alone, unless one of these was killed over it. Counting costs each run of a program two reads of the
 * clock. Throws where the setting cannot be written (only root may).
 */
export async function bpfStatsWindow(ms: number, stats = bpf_stats): Promise<void> {
  const { setting } = stats;
  if (readFileSync(setting, 'utf8').trim() !== '0' && !isAbandoned(stats)) {
    process.stdout.write('on\n');
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, resolve);
    // Nobody listens any more: whoever wanted the figures is gone.
    process.stdout.on('error', resolve);
  });
  let counting = true;
  const putBack = (): void => {
    if (!counting) return;
    writeFileSync(setting, '0');
    unmark(stats);
    counting = false;
  };
  // Whatever else listens to the signals may call process.exit() before we are awake.
  process.once('exit', putBack);
  mark(stats);
  writeFileSync(setting, '1');
  process.stdout.write('on\n');
  await ended;
  putBack();
  clearTimeout(timer);
}
