import { getPriority, setPriority } from 'node:os';
import type { GivesWay } from '../../allowlist/command.ts';
import { mayAdminister } from './may-administer.ts';
import { giveNice } from './nice-value.ts';

/** Of the CPUs that others want it gets a seventieth. */
const last_of_all = 19;
/** A host that is too busy to let it on is what somebody wants to know about. */
const most_ms = 3000;

export type GivingWay = Readonly<{
  printed(output: string | Buffer): void;
  /** It is to end: from now on it runs as others do. */
  hurry(): void;
  ended(): void;
}>;

const as_it_is: GivingWay = { printed: () => {}, hurry: () => {}, ended: () => {} };

/**
 * Has a program that we started give way to what runs on the host while it gets ready, and again when
 * it has watched: for at most three seconds each, after which it runs as others do. Where that could
 * not be taken back, it runs as it is.
 */
export function giveWay(pid: number, { ready_line, watches_line, window_ms }: GivesWay): GivingWay {
  const usual = getPriority();
  if (!mayTakeBack(pid, usual)) return as_it_is;
  const timers: NodeJS.Timeout[] = [];
  // Nothing tells in the text of a recording, which may have ten million lines.
  let lines: number | null = ready_line === Infinity && watches_line === Infinity ? null : 0;

  function forget(): void {
    for (const timer of timers.splice(0)) clearTimeout(timer);
  }

  function give(): void {
    forget();
    giveNice(pid, last_of_all);
    timers.push(setTimeout(() => giveNice(pid, usual, 0), most_ms));
  }

  function takeBack(): void {
    forget();
    giveNice(pid, usual, 0);
  }

  give();
  return {
    printed(output) {
      if (lines === null) return;
      const before = lines;
      lines += linesIn(output);
      if (before < ready_line && lines >= ready_line) takeBack();
      if (lines < watches_line) return;
      lines = null;
      timers.push(setTimeout(give, window_ms));
    },
    hurry() {
      lines = null;
      takeBack();
    },
    ended() {
      // What it printed may be read later, when another process has its number.
      lines = null;
      forget();
    },
  };
}

/** CAP_SYS_NICE of a container counts for nothing here, and what is refused says so. */
function mayTakeBack(pid: number, usual: number): boolean {
  // Without it the kernel takes one order about sessions in 100 ms, of all of us.
  if (!mayAdminister()) return false;
  try {
    setPriority(pid, usual - 1);
    return true;
  } catch {
    return false;
  }
}

function linesIn(output: string | Buffer): number {
  let lines = 0;
  for (let at = output.indexOf('\n'); at >= 0; at = output.indexOf('\n', at + 1)) lines++;
  return lines;
}
