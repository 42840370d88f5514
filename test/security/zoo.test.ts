import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/v4';
import { surface } from '../../src/surface.ts';
import { connect, type Message } from '../server/stdio.ts';
import { figure, tries } from './budget.ts';
import { canKeepZoo, openZoo, unshowable, type Zoo } from './zoo.ts';

vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

type Arguments = Readonly<Record<string, unknown>>;
type Pids = Zoo['pids'];

const whole = tries(1, 0) === 1;
/** A tool that traces needs seconds to start: few of them are asked each time. */
const second = { duration_seconds: 1 };

/** What reads files and listings, about every kind of process. */
const readings: Readonly<Record<string, (pids: Pids) => readonly Arguments[]>> = {
  query_stats: () =>
    ['cpu', 'llc', 'node', 'process', 'scheduler', 'system'].map((stat_type) => ({ stat_type })),
  get_topology: () => [{ detail_level: 'full' }],
  list_events: () => [{ subsystem: 'sched' }],
  read_resource: (pids) =>
    (whole ? Object.values(pids).flat() : [pids.far[0], pids.zombies[0], pids.vanishing[0]]).map(
      (pid) => ({ uri: `stats://aggregated/process?pid=${pid}` }),
    ),
  perf_info: () => [{}],
  perf_snapshot: () => [{}],
  perf_use_check: () => [second],
  perf_net_health: () => [{ include_tcp_details: true }],
  perf_cgroup_summary: (pids) => [{}, ...pids.grouped.map((pid) => ({ pid }))],
  perf_fd_trace: (pids) =>
    [pids.busy[1], pids.crowd[0], pids.zombies[1]].map((pid) => ({
      pid,
      include_fd_list: true,
      ...second,
    })),
  perf_thread_profile: (pids) =>
    [pids.crowd[0], pids.busy[1], pids.zombies[0]].map((pid) => ({ pid, ...second })),
  perf_triage: () => [{ mode: 'quick' }],
  perf_io_latency: () => [second],
  list_profiles: () => [{}],
};

/** What traces or records. */
const captures: Readonly<Record<string, (pids: Pids) => readonly Arguments[]>> = {
  perf_cpu_profile: (pids) => [
    { duration_seconds: 2 },
    { duration_seconds: 1, output_format: 'collapsed', pid: pids.busy[1] },
  ],
  perf_exec_trace: () => [{ ...second, mode: 'both', include_fork_clone: true }],
  ...(whole
    ? {
        start_perf_profiling: () => [{ freq: 499, duration_secs: 1 }],
        get_perf_results: () => [{ include_stacks: true }],
        enable_collection: () => [{}],
        get_scheduling_stats: () => [{}],
        get_top_processes: () => [{}],
        disable_collection: () => [{}],
        control_event_tracking: () => [{ action: 'start', duration_s: 20 }],
        read_events: () => [
          { wait_ms: 3000, limit: 200 },
          { wait_ms: 1000, types: 'exec' },
        ],
        record_trace: () => [second],
        trace_kernel_functions: () => [{ functions: ['schedule'], mode: 'count', duration_s: 1 }],
        perf_offcpu_profile: () => [second],
        perf_bio_latency: () => [second],
        perf_runq_latency: () => [second, { ...second, per_process: true }],
        perf_tcp_trace: () => [second, { ...second, mode: 'connections' }],
        perf_syscall_count: () => [second, { ...second, per_process: true }],
        perf_file_trace: () => [{ ...second, mode: 'all', include_all_files: true }],
        perf_dns_latency: () => [second],
        perf_io_layers: () => [{ ...second, include_details: true }],
        perf_vfs_latency: () => [{ ...second, include_all_files: true }],
      }
    : {}),
};

const validator = new AjvJsonSchemaValidator();
const contracts = new Map(
  surface
    .tools({ readOnly: false })
    .map(surface.contractOf)
    .map(({ name, outputSchema }) => [name, outputSchema]),
);

const Texts = z.tuple([z.looseObject({ text: z.string() })]).rest(z.unknown());
/** Of the content of an answer, or the contents of a resource. */
const textIn = (list: unknown): string => Texts.parse(list)[0].text;

const seen = { answers: 0, errors: new Map<string, number>() };

/** Of one answer: JSON inside, of the documented form or an error that says what to do. */
function check(what: string, name: string, { result, error }: Message): void {
  seen.answers += 1;
  expect(error, what).toBeUndefined();
  const text = textIn(result?.['content']);
  expect(unshowable(text), what).toEqual([]);
  const told = JSON.parse(text);
  expect(unshowable(told), what).toEqual([]);
  if (result?.['isError']) {
    const { code } = told.error;
    seen.errors.set(code, (seen.errors.get(code) ?? 0) + 1);
    expect(['INTERNAL', 'PARSE_ERROR'], `${what}: ${text}`).not.toContain(code);
    return;
  }
  expect(result?.['structuredContent'], what).toEqual(told);
  const validate = validator.getValidator(contracts.get(name) ?? { not: {} });
  expect(validate(told), what).toMatchObject({ valid: true });
}

describe.skipIf(!canKeepZoo)('among hostile processes (needs root and python3)', () => {
  const threads = tries(10_000, 500);
  let zoo: Zoo;
  let server: ReturnType<typeof connect>;
  beforeAll(async () => {
    zoo = await openZoo(threads);
    server = connect(['mcp', '--daemon', '--state-dir', `${zoo.room}/state`]);
  });
  afterAll(async () => {
    server?.child.kill('SIGTERM');
    await zoo?.close();
    const errors = [...seen.errors].map(([code, count]) => `${count} times ${code}`).join(', ');
    figure(
      `${seen.answers} answers of tools and resources among hostile processes, one with ` +
        `${threads} threads: all of the documented form, errors: ${errors || 'none'}`,
    );
  });

  const asked = Object.entries({ ...readings, ...captures });
  test.each(asked)('%s answers', async (name, argumentsFor) => {
    const list = argumentsFor(zoo.pids);
    const ask = async (args: Arguments): Promise<void> =>
      check(`${name} ${JSON.stringify(args)}`, name, await server.call(name, args));
    if (name in readings) await Promise.all(list.map(ask));
    // One profiler runs at a time.
    else for (const args of list) await ask(args);
  });

  test('every resource answers', async () => {
    const { resources } = surface.listResources({ daemon: true, readOnly: false });
    const processes = 'stats://aggregated/process?limit=200';
    const uris = [...resources.map(({ uri }) => uri), processes, `${processes}&offset=100`];
    const answers = await Promise.all(uris.map((uri) => server.read(uri)));
    for (const [index, { result, error }] of answers.entries()) {
      const uri = uris[index] ?? '';
      seen.answers += 1;
      expect(unshowable(error?.message), uri).toEqual([]);
      if (error) {
        expect(error.message, uri).toMatch(/\w+ \w+/);
        continue;
      }
      const text = textIn(result?.['contents']);
      expect(unshowable(text), uri).toEqual([]);
      // The stream is JSON by lines.
      const parts = uri.startsWith('events://stream') ? text.trim().split('\n') : [text];
      for (const part of parts) expect(unshowable(JSON.parse(part)), uri).toEqual([]);
    }
  });

  test('their names are told, as text', async () => {
    const { result } = await server.read('stats://aggregated/process?comm=zoo&limit=200');
    const text = textIn(result?.['contents']);
    for (const name of ['zoo row', 'zoo 1 [000] 1.0', 'zoo;main;x 1', 'zoo"\'`$(id)\\'])
      expect(text).toContain(JSON.stringify(name).slice(1, -1));
  });
});
