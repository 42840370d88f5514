import { ParseError } from '../parsed.ts';

export type LoadAverage = Readonly<{
  /** Tasks running, waiting for a CPU or in uninterruptible sleep, damped over 1, 5, 15 minutes. */
  one: number;
  five: number;
  fifteen: number;
  /** Tasks running or waiting for a CPU at this moment, of all tasks (threads). */
  runnable: number;
  total: number;
}>;

const loadLine = /^(\d{1,9}\.\d+) (\d{1,9}\.\d+) (\d{1,9}\.\d+) (\d{1,20})\/(\d{1,20}) \d+\n/;

/**
 * `/proc/loadavg` (fs/proc/loadavg.c), one line. The last number is the newest pid of the reader's
 * pid namespace. ParseError on any other form.
 *
 *     0.00 0.00 0.00 2/90 7688
 *     1.31 0.52 0.20 3/101 8122
 */
export function parseLoadAverage(text: string): LoadAverage {
  const found = loadLine.exec(text);
  if (!found) throw new ParseError('not /proc/loadavg', 1);
  const [one = 0, five = 0, fifteen = 0, runnable = 0, total = 0] = found.slice(1).map(Number);
  return { one, five, fifteen, runnable, total };
}
