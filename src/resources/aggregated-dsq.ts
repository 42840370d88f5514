import * as z from 'zod/v4';
import { collectDsqs } from '../collectors/dsq.ts';
import { defineResource, pageQuery, wholeNumber } from './define-resource.ts';

export const aggregatedDsq = defineResource({
  uri: 'stats://aggregated/dsq',
  name: 'aggregated-dsq',
  title: 'Dispatch queues of sched_ext',
  description:
    "Every dispatch queue (DSQ) that the running sched_ext scheduler used: inserts and dispatches (left for another queue, or to run) per second, how long tasks wait from their first insert until they run (queue_wait, by first queue) and from their last (last_hop, by last queue) with p50, p90, p99 and max, depth, slice, virtual times. Traced with bpftrace, unsampled, added up in the kernel: a second to attach, then the window; with --daemon the tracer stays for half a minute and a read covers all since the last one. A scheduler that ends or is replaced meanwhile is told with the kernel's reason (changes), its figures apart. Unavailable, with the reason, where no sched_ext scheduler runs.",
  queue: 'dsq',
  query: z.strictObject({
    ...pageQuery(32, 500),
    window_ms: wholeNumber(500, 10_000).default(1000).describe('shortest window, default 1000'),
    histogram: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true adds the histograms of the waits')
      .transform((value) => value === 'true'),
  }),
  read: (query, ctx, call) => collectDsqs(ctx, query, call),
});
