import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as z from 'zod/v4';
import { pingPong } from '../lib/load.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';
import { until } from '../lib/until.ts';

const Events = z.looseObject({ events: z.array(z.string()) });
const Profile = z.looseObject({
  total_samples: z.number(),
  kernel_percent: z.number().nullable(),
  top_functions: z.array(z.looseObject({ symbol: z.string(), module: z.string() })),
});
const Status = z.looseObject({ status: z.string() });
const Results = z.looseObject({
  total_samples: z.number().nullable(),
  symbols: z.array(z.looseObject({ is_kernel: z.boolean() })).nullable(),
});
const Offcpu = z.looseObject({
  method: z.string(),
  top_blockers: z.array(z.looseObject({ function: z.string(), blocked_us: z.number() })),
});

/** What no other suite starts, each in the way that takes most rights. */
describe('programs that need root', { timeout: 300_000 }, () => {
  let server: Server;
  let load: ReturnType<typeof pingPong>;
  before(async () => {
    server = await startServer();
    load = pingPong();
  });
  after(async () => {
    await load.stop();
    await server.close();
  });

  test('perf lists the trace events', async () => {
    const { data } = await callTool(server, 'list_events', { subsystem: 'sched' }, Events);
    assert.ok(data.events.includes('sched:sched_switch'), data.events.join());
  });

  test('perf samples all CPUs, with names of the kernel', async () => {
    const args = { duration_seconds: 4 };
    const { data } = await callTool(server, 'perf_cpu_profile', args, Profile);
    // An emulated CPU misses most of its ticks.
    assert.ok(data.total_samples > 10, `${data.total_samples} samples`);
    assert.ok((data.kernel_percent ?? 0) > 10, `${data.kernel_percent} %`);
    const named = data.top_functions.filter(({ symbol }) => /^[a-z_]\w+$/.test(symbol));
    const ofKernel = named.filter(({ module }) => /^\[kernel/.test(module));
    assert.ok(ofKernel.length > 0, JSON.stringify(data.top_functions));
  });

  test('perf samples at a trace event', async () => {
    const event = 'tracepoint:sched:sched_switch';
    await callTool(server, 'start_perf_profiling', { event, duration_secs: 2 }, Status);
    const { value } = await until(
      async () => (await callTool(server, 'get_perf_results', {}, Results)).data,
      ({ total_samples }) => (total_samples ?? 0) > 0,
      60_000,
    );
    assert.ok(value.symbols?.some(({ is_kernel }) => is_kernel));
  });

  test('bpftrace tells what tasks wait for', async () => {
    const args = { duration_seconds: 3 };
    const { data } = await callTool(server, 'perf_offcpu_profile', args, Offcpu);
    assert.equal(data.method, 'bpftrace');
    assert.ok(data.top_blockers.length > 0);
  });
});
