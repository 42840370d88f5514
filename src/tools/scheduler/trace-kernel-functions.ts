import * as z from 'zod/v4';
import { traceKernelFunctions as trace } from '../../collectors/function-trace.ts';
import { defineTool } from '../define-tool.ts';

export const traceKernelFunctions = defineTool({
  name: 'trace_kernel_functions',
  title: 'Trace functions of the kernel',
  toolset: 'scheduler',
  effect: 'capture',
  queue: 'functions',
  description:
    'Watches up to ten functions of the kernel: how often they are called (count), how long they take (latency), or who calls them (stacks); by fentry, else kprobe. Names: list_events event_type=kprobe. Each call costs 0.1 to 1 us: begin with count. Locks and tracing itself are refused.',
  input: z.strictObject({
    functions: z
      .array(z.string().max(128))
      .min(1)
      .max(10)
      .describe('names such as tcp_sendmsg, or one pattern such as tcp_send*'),
    mode: z.enum(['count', 'latency', 'stacks']).default('count').describe('what to tell'),
    duration_s: z.int().min(1).max(30).default(5).describe('how long to watch'),
    pid: z.int().min(1).max(4_194_304).optional().describe('calls of one process only'),
  }),
  output: z.looseObject({
    mode: z.string(),
    functions: z
      .array(z.looseObject({ function: z.string(), attached: z.string(), calls: z.int() }))
      .readonly(),
  }),
  handle: (input, ctx, call) => trace(ctx, input, call),
});
