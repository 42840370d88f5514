import { type Envelope, envelope } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import { inTurn } from '../serialize.ts';
import type { Tool } from './define-tool.ts';

/** Calls a tool: in turn with calls of the same queue, arguments checked, answer wrapped. */
export function callTool(tool: Tool, args: unknown, ctx: Context, call: Call): Promise<Envelope> {
  return inTurn(tool.queue, async () => {
    call.signal.throwIfAborted();
    const started_ms = ctx.monotonicMs();
    return envelope(tool.name, await tool.invoke(args, ctx, call), ctx, started_ms);
  });
}
