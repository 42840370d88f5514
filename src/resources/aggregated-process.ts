import * as z from 'zod/v4';
import { process_sorts } from '../collectors/process-ranking.ts';
import { collectTracedProcess, collectTracedProcesses } from '../collectors/process-traces.ts';
import { TracewrightError } from '../errors.ts';
import { defineResource, pageQuery, wholeNumber } from './define-resource.ts';
import { traceQuery } from './window-query.ts';

export const aggregatedProcess = defineResource({
  uri: 'stats://aggregated/process',
  name: 'aggregated_process',
  title: 'Processes: CPU, run queue wait, switches, migrations',
  description:
    'What each process did in the last half second (daemon: since the last read, up to a minute): CPU time, time its threads waited for a CPU, and over 200 ms more context switches and migrations; with policy, nice, last CPU, affinity, memory, cgroup. Top 20 by CPU; ?sort=wait for latency. ?pid= answers for one process with its threads. Reads /proc only; ?trace_ms=1000 traces (root, bpftrace): exact wakeup and run queue latency with the longest wait, migrations, who wakes whom, with pid= percentiles and histogram; ?sched_ext=true asks bpftrace, too.',
  queue: 'window',
  query: z.strictObject({
    ...pageQuery(20, 200),
    sort: z.enum(process_sorts).default('cpu'),
    pid: wholeNumber(1, 4_194_304).optional().describe('only this process, with its threads'),
    comm: z.string().min(1).max(64).optional().describe('only names that begin with it'),
    window_ms: wholeNumber(100, 10_000).optional().describe('default 500'),
    ...traceQuery,
    sched_ext: z
      .enum(['true', 'false'])
      .optional()
      .describe(
        'true: also dsq_vtime, slice left and queue of tasks under sched_ext; runs bpftrace',
      )
      .transform((value) => value === 'true'),
  }),
  async read({ pid, comm, ...query }, ctx, call) {
    if (pid === undefined) return await collectTracedProcesses(ctx, { ...query, comm }, call);
    if (comm === undefined) return await collectTracedProcess(ctx, { ...query, pid }, call);
    throw new TracewrightError(
      'INVALID_PARAMS',
      'stats://aggregated/process: pid and comm cannot stand together.',
      `Read stats://aggregated/process?pid=${pid}.`,
    );
  },
});
