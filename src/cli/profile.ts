import type { Envelope } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { surface } from '../surface.ts';

const poll_ms = 200;

/**
 * A profile from a shell: started, waited for, and shown. It cannot outlive the command, so there
 * is no second one to ask for its results.
 */
export async function profileToTheEnd(
  args: Readonly<Record<string, unknown>>,
  ctx: Context,
  call: Call,
): Promise<Envelope> {
  if (!(Number(args['duration_secs']) > 0)) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'A profile ends with the command that started it, so it needs a length.',
      'Example: tracewright call start_perf_profiling duration_secs=5',
    );
  }
  await surface.callTool(tool('start_perf_profiling'), args, ctx, call);
  while (await isRunning(ctx, call)) await ctx.sleep(poll_ms, call.signal);
  return await surface.callTool(tool('get_perf_results'), {}, ctx, call);
}

function tool(name: string) {
  const [found] = surface.tools({ readOnly: false, tools: [name] });
  if (!found) throw new Error(`no tool ${name}`);
  return found;
}

async function isRunning(ctx: Context, call: Call): Promise<boolean> {
  const document = await surface.readResource('profiling://perf/status', ctx, call);
  return 'status' in document && document.status === 'Running';
}
