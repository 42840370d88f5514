import * as z from 'zod/v4';
import { collectTcpTrace } from '../../collectors/tcp-trace.ts';
import { defineTool } from '../define-tool.ts';

const port = z.int().min(1).max(65_535).optional();

export const perfTcpTrace = defineTool({
  name: 'perf_tcp_trace',
  title: 'TCP connections traced',
  toolset: 'host',
  effect: 'capture',
  description:
    'TCP connections while it watches: process, addresses, duration, bytes, RTT, retransmits (lifecycle: those that ended) or time to connect and failures (connections: those opened from here). For rates and drops without tracing: perf_net_health.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    mode: z.enum(['lifecycle', 'connections']).default('lifecycle').describe('ended or opened'),
    pid: z.int().min(1).optional().describe('one process'),
    local_port: port.describe('local port'),
    remote_port: port.describe('remote port'),
  }),
  aliases: { port: 'remote_port' },
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    mode: z.string(),
    connections: z.array(z.looseObject({ remote_port: z.int() })).nullable(),
    summary: z.looseObject({ total_connections: z.int() }).nullable(),
    top_connections: z.array(z.looseObject({ metric: z.number() })).nullable(),
    notes: z.array(z.string()),
  }),
  handle: (input, ctx, call) => collectTcpTrace(ctx, input, call),
});
