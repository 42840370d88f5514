import * as z from 'zod/v4';
import { collectBpfPrograms } from '../collectors/bpf-programs.ts';
import { defineResource, pageQuery, wholeNumber } from './define-resource.ts';

export const bpfPrograms = defineResource({
  uri: 'bpf://programs',
  name: 'bpf_programs',
  title: 'Loaded BPF programs',
  description:
    'BPF programs with type, sizes, memory, attachments, owners, and the sched_ext operations they implement. ?stats_ms=1000 measures over that window how often and how long each ran: the kernel counts it only then (kernel.bpf_stats_enabled is put back), at two clock reads per run. Needs root and bpftool.',
  queue: 'bpf',
  query: z.strictObject({
    ...pageQuery(50, 500),
    type: z.string().min(1).max(40).optional().describe('one program type, such as tracepoint'),
    stats_ms: wholeNumber(100, 10_000).optional().describe('measure run times for so long'),
  }),
  read: (query, ctx, call) => collectBpfPrograms(ctx, query, call),
});
