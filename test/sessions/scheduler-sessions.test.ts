import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { competitors, fact, type Session, session } from './session.ts';

const ctx = createContext({ daemon: true, readOnly: false });
const noPerf = ctx.uid !== 0 || 'problem' in ctx.find(programs.perf);
const noTracer = tracingObstacle(ctx, 'events') !== null;

let mcp: Session;
let load: ReturnType<typeof competitors>;
beforeAll(async () => {
  load = competitors(2);
  mcp = await session('--daemon');
});
afterAll(async () => {
  load.end();
  await mcp.close();
});

describe('summary of the system', () => {
  test('the prompt embeds the state of now and names the next steps', async () => {
    const text = await mcp.prompt('summarize_system');
    for (const uri of ['topology://info', 'scheduler://current', 'stats://aggregated/process'])
      expect(text).toContain(uri);
  });

  test('hardware: CPUs, cores, caches, nodes, SMT', async () => {
    const topology = await mcp.read('topology://info');
    for (const name of ['nr_cpus', 'nr_cores', 'nr_llcs', 'nr_nodes'])
      fact(topology, name, 'count');
    fact(topology, 'smt_active', 'flag');
  });

  test('the active scheduler with its class, or why there is none of sched_ext', async () => {
    const scheduler = await mcp.read('scheduler://current');
    fact(scheduler, 'name', 'text');
    fact(scheduler, 'class', 'text');
    fact(scheduler, 'state', 'text');
    fact(scheduler, 'active', 'flag');
  });

  test('CPU utilization with average, range and variance; context switches a second', async () => {
    const cpus = await mcp.read('stats://aggregated/cpu');
    for (const name of ['mean_util_pct', 'min_util_pct', 'max_util_pct'])
      fact(cpus, `spread.${name}`, 'percent');
    fact(cpus, 'spread.stddev_util_pct', 'number');
    fact(await mcp.read('stats://system/cpu'), 'context_switches_per_s', 'number');
  });

  test('the top process by name, pid and CPU share', async () => {
    const processes = await mcp.read('stats://aggregated/process?limit=5');
    fact(processes, 'processes.0.comm', 'text');
    fact(processes, 'processes.0.pid', 'count');
    fact(processes, 'processes.0.cpu_pct', 'number');
  });
});

describe('a process with high scheduling latency', () => {
  test('the prompt takes its pid', async () => {
    const pid = String(load.pids[0]);
    expect(await mcp.prompt('debug_high_latency', { pid })).toContain(`pid=${pid}`);
  });

  test('it waits for its CPU, on which another one runs: average, place, migrations', async () => {
    const uri = `stats://aggregated/process?pid=${load.pids[0]}&window_ms=1500`;
    const found = await mcp.read(uri);
    fact(found, 'processes.0.latency.avg_ns', 'number');
    fact(found, 'processes.0.run_queue_wait_pct', 'number');
    expect(Object(found['processes'])[0].run_queue_wait_pct).toBeGreaterThan(10);
    fact(found, 'processes.0.last_cpu', 'count');
    fact(found, 'processes.0.llc_id', 'count');
    fact(found, 'processes.0.nr_migrations', 'count');
    fact(found, 'processes.0.nr_migrations_total', 'count');
    fact(found, 'processes.0.layer_id', 'count');
  });

  test('its cache domain: load of each LLC, and where its CPU belongs', async () => {
    fact(await mcp.read('stats://aggregated/llc'), 'llcs.0.util_pct', 'percent');
    const { data } = await mcp.call('get_topology', { detail_level: 'full' });
    fact(Object(data), 'cpus.0.llc_id', 'count');
  });
});

describe('throughput', () => {
  test('the prompt has its focus, and query_stats the metrics', async () => {
    const text = await mcp.prompt('analyze_scheduler_performance', { focus_area: 'throughput' });
    expect(text).toContain('throughput');
    const { data } = await mcp.call('query_stats');
    expect(JSON.stringify(data)).toContain('stats://aggregated/llc');
  });

  test('migrations a second and the hit rate of each cache', async () => {
    const llcs = await mcp.read('stats://aggregated/llc');
    fact(llcs, 'llcs.0.migrations_per_s', 'number', 'nr_migrations');
    fact(llcs, 'llcs.0.switches_per_s', 'number', 'nr_switches');
    fact(llcs, 'llcs.0.cache_hit_pct', 'percent');
  });

  test('the statistics and settings of the scheduler', async () => {
    fact(await mcp.read('stats://scheduler/raw'), 'stats', 'number', 'stats://scheduler/raw');
  });

  test('what of interrupts can be traced', async () => {
    const { data } = await mcp.call('list_events', { subsystem: 'irq' });
    expect(Object(data).events).toContain('irq:irq_handler_entry');
  });
});

describe('NUMA nodes compared', () => {
  test('CPUs, load, processes, locality and top consumers of each', async () => {
    const nodes = await mcp.read('stats://aggregated/node');
    fact(nodes, 'nodes.0.cpus', 'text');
    fact(nodes, 'nodes.0.util_pct', 'percent');
    fact(nodes, 'nodes.0.processes', 'count');
    fact(nodes, 'nodes.0.locality.local_pct', 'percent');
    fact(nodes, 'nodes.0.top_processes.0.comm', 'text');
    fact(nodes, 'nodes.0.top_processes.0.cpu_pct', 'number');
  });

  test('the node of a process', async () => {
    const processes = await mcp.read('stats://aggregated/process?limit=5');
    fact(processes, 'processes.0.node_id', 'count');
    fact(processes, 'processes.0.cpus_allowed', 'text');
  });
});

describe.skipIf(noPerf)('a profile (needs root and perf)', () => {
  async function profile(args: Record<string, unknown>) {
    await mcp.call('start_perf_profiling', args);
    // With a time limit it ends by itself: the client only waits.
    for (let tries = 0; tries < 240; tries++) {
      const { status } = await mcp.read('profiling://perf/status');
      if (status !== 'Running' && status !== 'Starting') break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return await mcp.call('get_perf_results', { limit: 20, include_stacks: true });
  }

  test('the hottest functions with share, place, process and stacks', async () => {
    const answer = await profile({
      event: 'hw:cpu-clock',
      freq: 99,
      duration_secs: 2,
      max_samples: 0,
    });
    const data = Object(answer['data']);
    const all = { ...data, unavailable: answer['unavailable'] };
    fact(all, 'symbols.0.symbol', 'text');
    fact(all, 'symbols.0.percentage', 'percent');
    fact(all, 'symbols.0.module', 'text');
    fact(all, 'symbols.0.file', 'text');
    fact(all, 'kernel_pct', 'percent');
    expect(JSON.stringify(data)).toContain('stack');
  });

  test('the callers of one function, with their shares', async () => {
    await profile({ event: 'tracepoint:sched:sched_switch', duration_secs: 1 });
    const { data } = await mcp.call('get_perf_results', { symbol: 'schedule' });
    const drawn = JSON.stringify(data);
    expect(drawn).toContain('schedule');
    expect(drawn).toMatch(/__x64_sys_|do_nanosleep|futex|poll|do_idle|schedule_idle|preempt/);
  });

  test('BPF programs: runs, mean run time; what is not counted has a reason', async () => {
    const loaded = await mcp.read('bpf://programs?stats_ms=300');
    fact(loaded, 'total_count', 'count');
    if (Object(loaded['programs']).length > 0) {
      fact(loaded, 'programs.0.run_count', 'count');
      fact(loaded, 'programs.0.avg_run_time_ns', 'number', 'run');
    }
  });
});

describe.skipIf(noTracer)('watching (needs root and bpftrace)', () => {
  test('a subscription brings switches with the waits before them', async () => {
    const told = new Promise<string>((resolve) => {
      mcp.client.setNotificationHandler('notifications/resources/updated', ({ params }) =>
        resolve(params.uri),
      );
    });
    await mcp.client.subscribeResource({ uri: 'events://stream' }, { timeout: 60_000 });
    expect(await told).toContain('events://stream');
    const { data } = await mcp.call('read_events', { wait_ms: 1000, types: 'sched_switch' });
    await mcp.client.unsubscribeResource({ uri: 'events://stream' });
    const text = JSON.stringify(data);
    expect(text).toContain('sched_switch');
    expect(text).toMatch(/lat|wait/);
  }, 120_000);
});

describe('what can be asked', () => {
  test.each(['events://perf', 'events://kprobe', 'bpf://programs', 'profiling://perf/status'])(
    '%s answers, or says why not',
    async (uri) => expect(Object(await mcp.read(uri))['summary'][0]).toMatch(/\w+ \w+/),
  );

  test('the latency of dispatch queues', async () => {
    fact(await mcp.read('stats://aggregated/dsq'), 'dsqs', 'list', 'stats://aggregated/dsq');
  });

  test('events of the scheduler, in the documented call', async () => {
    const { data } = await mcp.call('list_events', { subsystem: 'sched', event_type: 'perf' });
    expect(Object(data).events).toContain('sched:sched_switch');
    expect(Object(data).total_count).toBeGreaterThan(5);
  });

  test('a subsystem that is not there is answered with those that are', async () => {
    const { suggestion } = await mcp.refused('list_events', { subsystem: 'nosuch' });
    expect(suggestion).toContain('sched');
  });

  test('the topology in full', async () => {
    const { data } = await mcp.call('get_topology', { detail_level: 'full' });
    for (const name of ['cpus', 'nodes']) fact(Object(data), name, 'list');
  });

  test.each([
    ['analyze_cpu_imbalance', {}],
    ['investigate_scheduler_behavior', { scheduler_name: 'scx_rusty' }],
    ['analyze_scheduler_performance', { focus_area: 'latency' }],
    ['profile_system', {}],
  ])('the prompt %s gives steps', async (name, args) => {
    expect(await mcp.prompt(name, args)).toContain('## Steps');
  });
});
