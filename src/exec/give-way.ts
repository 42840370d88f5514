import type { GivesWay } from '../../allowlist/command.ts';
import { mayDo } from './capabilities.ts';
import { giveNice } from './nice-value.ts';

/** Of the CPUs that others want it gets a seventieth. */
const last_of_all = 19;
/** A host that is too busy to let it on is what somebody wants to know about. */
const most_ms = 3000;

export type Manners = Readonly<{
  printed(output: string | Buffer): void;
  ended(): void;
}>;

/**
 * Has a program that we started give way to what runs on the host while it gets ready, and while it
 * tells what it saw: for at most three seconds each, after which it runs as others do. What it watches
 * is not waited for longer by that, and its own waits are not among those that it measures. Without
 * CAP_SYS_NICE, with which alone this can be taken back, it runs as it is.
 */
export function giveWay(pid: number, { until_line, window_ms }: GivesWay): Manners {
  if (!mayDo('sys_nice')) return { printed: () => {}, ended: () => {} };
  const timers: NodeJS.Timeout[] = [];
  let lines = until_line === null ? null : 0;
  const after = (ms: number, then: () => void): void => void timers.push(setTimeout(then, ms));
  const stop = (): void => {
    for (const timer of timers.splice(0)) clearTimeout(timer);
  };

  function give(): void {
    giveNice(pid, last_of_all);
    after(most_ms, () => giveNice(pid, 0));
  }

  give();
  return {
    printed(output) {
      if (lines === null || until_line === null) return;
      lines += linesIn(output);
      if (lines < until_line) return;
      lines = null;
      stop();
      giveNice(pid, 0);
      after(window_ms, give);
    },
    ended: stop,
  };
}

function linesIn(output: string | Buffer): number {
  let lines = 0;
  for (let at = output.indexOf('\n'); at >= 0; at = output.indexOf('\n', at + 1)) lines++;
  return lines;
}
