import type { Envelope } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { surface } from '../surface.ts';

const poll_ms = 100;

/**
 * A collection from a shell: enabled, waited for, and shown with its top processes. It cannot outlive
 * the command, so there is no second one to ask for its statistics.
 */
export async function collectToTheEnd(
  args: Readonly<Record<string, unknown>>,
  ctx: Context,
  call: Call,
): Promise<Envelope> {
  const duration_secs = Number(args['duration_secs']);
  if (!(duration_secs > 0)) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'A collection ends with the command that enabled it, so it needs a length.',
      'Example: tracewright call enable_collection duration_secs=5',
    );
  }
  await ask('enable_collection', args, ctx, call);
  await ctx.sleep(duration_secs * 1000, call.signal);
  let stats = await ask('get_scheduling_stats', {}, ctx, call);
  while ('collection_enabled' in stats.data && stats.data.collection_enabled === true) {
    await ctx.sleep(poll_ms, call.signal);
    stats = await ask('get_scheduling_stats', {}, ctx, call);
  }
  const top = await ask('get_top_processes', {}, ctx, call);
  return {
    ...stats,
    summary: [...stats.summary, ...top.summary.slice(1)],
    data: { ...stats.data, ...top.data },
  };
}

function ask(name: string, args: object, ctx: Context, call: Call): Promise<Envelope> {
  const [tool] = surface.tools({ readOnly: false, tools: [name] });
  if (!tool) throw new Error(`no tool ${name}`);
  return surface.callTool(tool, args, ctx, call);
}
