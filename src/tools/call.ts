import { type Envelope, envelope } from '../answer.ts';
import type { Call, Context } from '../context.ts';
import type { Picture } from '../reading.ts';
import { inTurn } from '../serialize.ts';
import type { Tool } from './define-tool.ts';

/** An answer, and the picture beside it where one was asked for. */
export type Answer = Readonly<{ answer: Envelope; picture: Picture | undefined }>;

/** Calls a tool: in turn with calls of the same queue, arguments checked, answer wrapped. */
export function askTool(tool: Tool, args: unknown, ctx: Context, call: Call): Promise<Answer> {
  return inTurn(tool.queue, async () => {
    call.signal.throwIfAborted();
    const started_ms = ctx.monotonicMs();
    const reading = await tool.invoke(args, ctx, call);
    return { answer: envelope(tool.name, reading, ctx, started_ms), picture: reading.picture };
  });
}

/** The same where no picture can be shown. */
export const callTool = async (...asked: Parameters<typeof askTool>): Promise<Envelope> =>
  (await askTool(...asked)).answer;
