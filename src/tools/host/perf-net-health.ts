import * as z from 'zod/v4';
import { collectNetHealth } from '../../collectors/net-health.ts';
import { defineTool } from '../define-tool.ts';
import { figure } from './schema-parts.ts';

export const perfNetHealth = defineTool({
  name: 'perf_net_health',
  title: 'Network health',
  toolset: 'host',
  effect: 'read',
  description:
    'Drops, errors and traffic of interfaces, TCP retransmissions, resets, full listen queues, sockets by state, during the window, in the network namespace of this server. perf_tcp_trace follows single connections.',
  input: z.strictObject({
    interface: z.string().min(1).max(40).optional().describe('name or prefix'),
    include_tcp_details: z.boolean().default(true).describe('events and states'),
    duration_seconds: z.int().min(1).max(60).default(1).describe('window, s'),
  }),
  output: z.looseObject({
    interfaces: z
      .array(
        z.looseObject({
          name: z.string(),
          rx_bytes: figure,
          tx_bytes: figure,
          rx_packets: figure,
          tx_packets: figure,
          rx_errors: figure,
          tx_errors: figure,
          rx_dropped: figure,
          tx_dropped: figure,
          speed_mbps: figure,
          duplex: z.string().nullable(),
        }),
      )
      .readonly(),
    tcp: z.looseObject({
      active_connections: figure,
      passive_connections: figure,
      retransmits: figure,
      in_segs: figure,
      out_segs: figure,
      retransmit_rate: figure,
      reset_rate: figure,
    }),
    socket_summary: z.looseObject({
      tcp_total: figure,
      tcp_established: figure,
      tcp_time_wait: figure,
      udp_total: figure,
    }),
    tcp_details: z.looseObject({}).optional(),
    issues: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectNetHealth(ctx, input, call),
});
