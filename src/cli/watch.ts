import { once, setMaxListeners } from 'node:events';
import * as z from 'zod/v4';
import { holdStream, longest_tracking_ms } from '../collectors/event-holders.ts';
import { collectStream, type StreamEvents } from '../collectors/event-stream.ts';
import { chooseTypes } from '../collectors/event-types.ts';
import { tracedProcess } from '../collectors/traced-process.ts';
import { wholeFilter } from '../collectors/whole-filter.ts';
import type { Call, Context } from '../context.ts';
import { wholeNumber } from '../resources/define-resource.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { eventTypeList } from '../tools/event-type-list.ts';
import { notWritten } from './output.ts';
import { isColoured } from './terminal.ts';
import { type Footer, footer } from './watch-footer.ts';
import { eventLine, wallClock } from './watch-line.ts';

const options = z.object({
  types: eventTypeList.optional().describe('comma-separated types of events'),
  pid: wholeNumber(1, 4_194_304).optional().describe('a process'),
  'min-latency': wholeNumber(1, 60_000_000).optional().describe('microseconds'),
  duration: wholeNumber(1, longest_tracking_ms / 1000)
    .optional()
    .describe('seconds, at most 3600'),
});

const batch = 5000;
const batch_ms = 100;

/**
 * `tracewright watch`: the stream on a terminal until Ctrl-C, the end of the pipe or of the time.
 * Gives the exit code.
 */
export async function watch(
  ctx: Context,
  given: Readonly<Record<string, unknown>>,
  json: boolean,
): Promise<number> {
  const wanted = checkArguments('watch', options, given, '--');
  const tgid = wanted.pid === undefined ? null : tracedProcess(ctx, wanted.pid).pid;
  const ending = endOfWatching();
  const call: Call = { signal: ending, progress: () => {} };
  const { types } = await chooseTypes(ctx, wanted.types ?? null, call);
  const filter = {
    ...wholeFilter(types),
    tgid,
    min_latency_us: wanted['min-latency'] ?? null,
  };
  const foot = footer(process.stdout.isTTY && !json ? process.stderr : null);
  const duration_ms = (wanted.duration ?? longest_tracking_ms / 1000) * 1000;
  try {
    await holdStream(ctx, filter, duration_ms, call);
    await show(ctx, call, json, foot);
  } catch (thrown) {
    if (!ending.aborted) throw thrown;
  } finally {
    foot.end();
  }
  return 0;
}

async function show(ctx: Context, call: Call, json: boolean, foot: Footer): Promise<void> {
  const colours = isColoured(process.stdout, process.env);
  const clock = wallClock(ctx.now(), ctx.monotonicNs());
  for (;;) {
    const { data } = await collectStream(ctx, { limit: batch, wait_ms: batch_ms }, call);
    const lines = data.events.map((event) =>
      json ? JSON.stringify(event) : eventLine(event, clock, colours),
    );
    foot.clear();
    await print(lines, call.signal);
    foot.show(data, ctx.monotonicMs());
    if (isOver(data)) return;
  }
}

const isOver = ({ state, pending, delivered }: StreamEvents): boolean =>
  state === 'stopped' && pending + delivered === 0;

/** Waits for a reader that is slower than we are: what it misses meanwhile is counted. */
async function print(lines: readonly string[], signal: AbortSignal): Promise<void> {
  if (lines.length === 0) return;
  if (!process.stdout.write(`${lines.join('\n')}\n`))
    await once(process.stdout, 'drain', { signal });
}

/** Ctrl-C, or a reader that has seen enough. A second Ctrl-C ends us as it ends any program. */
function endOfWatching(): AbortSignal {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const end = (): void => ending.abort();
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', end);
  process.stdout.on('error', (error) => {
    notWritten(error);
    end();
  });
  return ending.signal;
}
