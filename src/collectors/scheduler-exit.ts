import { kernelMessages } from '../../allowlist/dmesg.ts';
import { parseScxLog, type ScxExit } from '../../parsers/scx-log/scx-log.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';

/**
 * How the last sched_ext scheduler ended, from the kernel's log, or why that cannot be told. `ops`:
 * the last one of this name.
 */
export async function lastExit(
  ctx: Context,
  call: Call,
  ops?: string,
): Promise<Readonly<{ exit: ScxExit | null; unavailable: readonly Unavailable[] }>> {
  const what = 'last_exit';
  try {
    const { stdout, stderr, exit_code } = await ctx.run(kernelMessages(), { signal: call.signal });
    if (exit_code !== 0) {
      const reason = stderr.trim() || 'The kernel log cannot be read.';
      const fix = 'sudo sysctl kernel.dmesg_restrict=0';
      return { exit: null, unavailable: [{ what, reason, fix }] };
    }
    const exit = parseScxLog(stdout, ops);
    if (exit) return { exit, unavailable: [] };
    const reason = 'The kernel log no longer holds the end of the last scheduler.';
    return { exit, unavailable: [{ what, reason, fix: null }] };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { exit: null, unavailable: [{ what, reason: message, fix: suggestion }] };
  }
}
