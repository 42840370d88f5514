import * as z from 'zod/v4';
import { collectDnsLatency } from '../../collectors/dns-latency.ts';
import { defineTool } from '../define-tool.ts';

export const perfDnsLatency = defineTool({
  name: 'perf_dns_latency',
  title: 'Latency of name lookups',
  toolset: 'host',
  effect: 'capture',
  description:
    'How long programs waited for addresses of names (getaddrinfo, gethostbyname), with name, process and result, slowest first. Use it when something is slow only when it connects; the rest of connecting: perf_tcp_trace. Costs two traps per lookup. Not seen: Go, Java, containers, which resolve by themselves.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('one process'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    queries: z.array(z.looseObject({ latency_ms: z.number(), host: z.string() })).nullable(),
    summary: z.looseObject({ total_queries: z.int() }).nullable(),
    truncated: z.boolean(),
    notes: z.array(z.string()),
  }),
  handle: (input, ctx, call) => collectDnsLatency(ctx, input, call),
});
