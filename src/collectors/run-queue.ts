import { parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { Call, Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { meanKnown } from './rates.ts';

const step_ms = 100;

/**
 * Sleeps until `end_ms` of the monotonic clock and looks ten times a second how many tasks run or
 * wait for a CPU: one look tells of one moment only. The mean of the looks without ourselves, who
 * run at each of them; null where /proc/loadavg is closed.
 */
export async function watchRunQueue(
  ctx: Context,
  end_ms: number,
  call: Call,
): Promise<number | null> {
  const looks: (number | null)[] = [];
  for (;;) {
    const rest_ms = end_ms - ctx.monotonicMs();
    if (rest_ms <= 0) return meanKnown(looks);
    await ctx.sleep(Math.min(step_ms, rest_ms), call.signal);
    looks.push(othersRunnable(ctx.files));
  }
}

function othersRunnable(files: HostFiles): number | null {
  const text = files.text('/proc/loadavg');
  if (text === null) return null;
  try {
    return Math.max(0, parseLoadAverage(text).runnable - 1);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}
