import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as z from 'zod/v4';
import { startIndependent } from '../lib/independent.ts';
import { run } from '../lib/program.ts';
import { isRoot } from '../lib/route.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';

const State = z.looseObject({ message: z.string(), attached: z.array(z.string()) });
const Stats = z.looseObject({
  context_switches: z.number(),
  total_events: z.number(),
  missed_events: z.number().nullable(),
  collection_enabled: z.boolean(),
});
const Top = z.looseObject({
  top_processes: z.array(
    z.looseObject({
      tgid: z.number(),
      comm: z.string().nullable(),
      switches_from: z.number(),
      switches_to: z.number(),
    }),
  ),
});

/** Each operation is two switches, one of each of its two processes. */
const operations = 2000;

describe('collection', { timeout: 300_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  test('by raw tracepoints agrees with perf and with an independent bpftrace', async () => {
    const independent = await startIndependent(
      'BEGIN { printf("ready\\n"); } tracepoint:sched:sched_switch { @switches[pid] = count(); }',
    );
    const { data: enabled } = await callTool(server, 'enable_collection', {}, State);
    assert.equal(enabled.message, 'Collection enabled, stats reset');
    assert.ok(enabled.attached.includes('rawtracepoint:sched_switch'));
    await callTool(server, 'reset_stats', {}, State);
    // On one CPU: of two, a side may find the answer there before it sleeps, and then does not switch.
    await run('taskset', '-c', '0', 'perf', 'bench', 'sched', 'pipe', '-l', String(operations));
    const { data: stats } = await callTool(server, 'get_scheduling_stats', {}, Stats);
    const { data: top } = await callTool(server, 'get_top_processes', { limit: 50 }, Top);
    await callTool(server, 'disable_collection', {}, State);
    const { maps } = await independent.finish();
    const all = z.record(z.string(), z.number()).parse(maps.get('@switches'));

    const pipes = top.top_processes.filter(({ comm }) => comm === 'sched-pipe');
    assert.equal(pipes.length, 2);
    const ours = pipes.reduce((sum, { switches_from }) => sum + switches_from, 0);
    const theirs = pipes.reduce((sum, { tgid }) => sum + (all[tgid] ?? 0), 0);
    console.log(
      `sched-pipe: ${ours} switches, independently ${theirs}, by ${2 * operations} operations; ` +
        `${stats.context_switches} in all, ${stats.missed_events} missed`,
    );
    for (const { switches_from, switches_to } of pipes) {
      const both = `from ${switches_from}, to ${switches_to}`;
      assert.ok(switches_from >= operations && switches_from < operations * 1.3, both);
      assert.ok(Math.abs(switches_from - switches_to) <= 2, both);
    }
    assert.ok(Math.abs(ours - theirs) <= 2, `${ours} against ${theirs}`);
    assert.ok(stats.context_switches >= ours);
    assert.ok(stats.total_events <= 2 * stats.context_switches);
    // Of a tracer that a helper runs, that is for root to see.
    assert.equal(stats.missed_events, isRoot ? 0 : null);
  });
});
