import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import * as z from 'zod/v4';
import { pingPong } from '../lib/load.ts';
import { run } from '../lib/program.ts';
import { llcDefines, loadScheduler, offers, unloadScheduler } from '../lib/scheduler.ts';
import { type Server, startServer } from '../lib/server.ts';
import { schedExt } from '../lib/sysfs.ts';

const Programs = z.looseObject({
  programs: z.array(
    z.looseObject({
      id: z.number(),
      name: z.string().nullable(),
      scheduler: z.string().nullable(),
      struct_ops: z.looseObject({ callback: z.string() }).nullable(),
      window: z
        .object({
          run_count: z.number().nullable(),
          run_count_per_s: z.number().nullable(),
          run_time_ns: z.number().nullable(),
          avg_run_time_ns: z.number().nullable(),
          cpu_pct: z.number().nullable(),
        })
        .nullable(),
    }),
  ),
  summary: z.array(z.string()),
  window_ms: z.number(),
});

const Processes = z.looseObject({
  processes: z.array(
    z.looseObject({
      pid: z.number(),
      sched_ext: z.boolean().nullable(),
      vruntime_ms: z.number().nullable(),
      slice_ms: z.number().nullable(),
      dsq_vtime: z.union([z.number(), z.string()]).nullable(),
      ext_slice_ns: z.union([z.number(), z.string()]).optional(),
    }),
  ),
  unavailable: z.array(z.looseObject({ what: z.string(), reason: z.string() })),
});

const Counted = z.array(
  z.looseObject({
    id: z.number(),
    run_cnt: z.number().default(0),
    run_time_ns: z.number().default(0),
  }),
);

const noQueues = (await offers('scx_bpf_create_dsq'))
  ? false
  : 'the BTF of this kernel lets no scheduler create a queue';

const setting = '/proc/sys/kernel/bpf_stats_enabled';

/** Run counts and times as bpftool shows them, by program id. */
async function counted() {
  const programs = Counted.parse(JSON.parse(await run('bpftool', '-j', 'prog', 'show')));
  return new Map(programs.map((program) => [program.id, program]));
}

describe('what a scheduler costs and keeps', { timeout: 300_000 }, () => {
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
  afterEach(unloadScheduler);

  test('its programs are labelled with callback, and run time agrees with bpftool', async () => {
    await loadScheduler('fifo');
    writeFileSync(setting, '1');
    try {
      const earlier = await counted();
      const uri = 'bpf://programs?type=struct_ops&stats_ms=3000';
      const { programs, window_ms, summary } = await server.read(uri, Programs);
      const later = await counted();
      assert.deepEqual(programs.map((each) => each.struct_ops?.callback).sort(), [
        'dispatch',
        'enqueue',
        'init',
      ]);
      for (const { id, scheduler, struct_ops, window } of programs) {
        assert.equal(scheduler, schedExt('root/ops'));
        const count = (later.get(id)?.run_cnt ?? 0) - (earlier.get(id)?.run_cnt ?? 0);
        const time_ns = (later.get(id)?.run_time_ns ?? 0) - (earlier.get(id)?.run_time_ns ?? 0);
        assert.ok(window && window.run_count !== null && window.run_time_ns !== null);
        const { run_count, run_time_ns, avg_run_time_ns, cpu_pct } = window;
        const told = JSON.stringify({ struct_ops, window, count, time_ns });
        assert.ok(run_count <= count && run_time_ns <= time_ns, told);
        if (struct_ops?.callback === 'init') assert.equal(run_count, 0);
        else {
          assert.ok(run_count > 0, told);
          const mean_ns = run_time_ns / run_count;
          assert.ok(Math.abs((avg_run_time_ns ?? 0) - mean_ns) < 1, told);
          const share_pct = (run_time_ns / (window_ms * 1e6)) * 100;
          assert.ok(cpu_pct !== null && Math.abs(cpu_pct - share_pct) < 0.01, told);
        }
      }
      assert.match(summary.join(' '), /3 are callbacks of the sched_ext scheduler lab_fifo/);
      console.log(summary.at(-1));
    } finally {
      writeFileSync(setting, '0');
    }
  });

  test('where nobody counts run time the kernel does so for the window alone', async () => {
    await loadScheduler('fifo');
    const uri = 'bpf://programs?type=struct_ops&stats_ms=1000';
    const { programs } = await server.read(uri, Programs);
    // A CPU that finds nothing to do asks for it; a task that finds one idle is queued nowhere.
    const dispatch = programs.find(({ struct_ops }) => struct_ops?.callback === 'dispatch');
    assert.ok((dispatch?.window?.run_count ?? 0) > 0, JSON.stringify(dispatch));
    assert.equal(readFileSync(setting, 'utf8').trim(), '0');
  });

  test('a task under sched_ext says so, and has no values of the fair class', async () => {
    const uri = 'stats://aggregated/process?comm=sched-pipe';
    const fair = await server.read(uri, Processes);
    assert.ok(fair.processes.length > 0);
    for (const { sched_ext, slice_ms } of fair.processes) {
      assert.equal(sched_ext, false);
      assert.ok(slice_ms !== null && slice_ms > 0);
    }
    await loadScheduler('fifo');
    const ext = await server.read(uri, Processes);
    for (const { sched_ext, slice_ms, vruntime_ms, dsq_vtime } of ext.processes) {
      const values = { sched_ext, slice_ms, vruntime_ms, dsq_vtime };
      assert.deepEqual(values, {
        sched_ext: true,
        slice_ms: null,
        vruntime_ms: null,
        dsq_vtime: null,
      });
    }
  });

  test('virtual time and slice of a task under sched_ext are those that the scheduler gives', {
    skip: noQueues,
  }, async () => {
    await loadScheduler('vtime-llc', ...(await llcDefines()));
    const uri = `stats://aggregated/process?pid=${load.pid}&sched_ext=true`;
    const first = (await server.read(uri, Processes)).processes[0];
    const second = (await server.read(uri, Processes)).processes[0];
    assert.ok(first && second);
    assert.equal(first.sched_ext, true);
    assert.ok(Number(first.dsq_vtime) > 0, JSON.stringify(first));
    // It runs all the time: its virtual time grows. The scheduler gives slices of 5 ms.
    assert.ok(Number(second.dsq_vtime) > Number(first.dsq_vtime));
    assert.ok(Number(second.ext_slice_ns) <= 5_000_000);
  });
});
