import type { Writable } from 'node:stream';

/** What a command tells while it works. */
export type Tell = (message: string) => void;

const first_ms = 2000;
const every_ms = 200;
const bar_cells = 20;
const erase = '\r\u001b[K';

type Terminal = Pick<Writable, 'write'> & Readonly<{ isTTY?: boolean; columns?: number }>;

/**
 * Does the work, and shows on a terminal that it goes on when it takes more than two seconds: one line,
 * rewritten in place and gone at the end. Nothing is written where there is no terminal.
 *
 * @param expected_s how long it takes at least, where that is known: it is shown as a bar.
 */
export async function withProgress<T>(
  terminal: Terminal,
  label: string,
  expected_s: number | null,
  work: (tell: Tell) => Promise<T>,
): Promise<T> {
  if (!terminal.isTTY) return await work(() => {});
  const begun_ms = performance.now();
  let message = '';
  let isShown = false;
  const show = (): void => {
    const passed_ms = performance.now() - begun_ms;
    if (passed_ms < first_ms) return;
    isShown = true;
    const line = progressLine(label, message, passed_ms / 1000, expected_s);
    terminal.write(erase + line.slice(0, (terminal.columns ?? 80) - 1));
  };
  const timer = setInterval(show, every_ms);
  timer.unref();
  // Ctrl-C ends the process from within: the prompt of the shell follows whatever is on the line.
  const leave = (): void => {
    if (isShown) terminal.write(erase);
  };
  process.once('exit', leave);
  try {
    return await work((told) => {
      message = told;
    });
  } finally {
    clearInterval(timer);
    process.removeListener('exit', leave);
    leave();
  }
}

/** `perf_cpu_profile [########------------] 3 of 5 s, recording` */
export function progressLine(
  label: string,
  message: string,
  passed_s: number,
  expected_s: number | null,
): string {
  const told = message === '' ? '' : `, ${message}`;
  const seconds = Math.floor(passed_s);
  if (expected_s === null || passed_s > expected_s) return `${label} … ${seconds} s${told}`;
  const full = Math.floor((bar_cells * passed_s) / expected_s);
  return `${label} [${'#'.repeat(full).padEnd(bar_cells, '-')}] ${seconds} of ${expected_s} s${told}`;
}

/** Seconds that the words of a command ask for: `duration_seconds=5`, `duration_s=3`. */
export function expectedSeconds(words: string, seconds: unknown): number | null {
  if (typeof seconds === 'string' && /^\d{1,4}$/.test(seconds)) return Number(seconds);
  const [, given] = /(?:^|\s)duration_s(?:ecs|econds)?=(\d{1,4})(?=\s|$)/.exec(words) ?? [];
  return given === undefined ? null : Number(given);
}
