import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectBpfPrograms } from '../../src/collectors/bpf-programs.ts';
import type { Context } from '../../src/context.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';

const recorded = (format: string, name: string): string => {
  const folder = readdirSync(`fixtures/${format}`).find((each) => each.startsWith(name));
  return readFileSync(`fixtures/${format}/${folder}/input.txt`, 'utf8');
};

const tracer = {
  'bpftool -j prog show': recorded('bpftool-prog', 'stats-on'),
  'bpftool -j link show': recorded('bpftool-link', 'five-kinds'),
  'bpftool -j map show': recorded('bpftool-map', 'bpftrace-maps'),
  'bpftool -j perf show': recorded('bpftool-perf', 'tracepoint-uprobe'),
  'bpftool -j struct_ops show': '[]\n',
};

const setting = 'proc/sys/kernel/bpf_stats_enabled';

function host(
  answers: Readonly<Record<string, string>>,
  files: HostFilesNow = { [setting]: '0\n' },
  parts: Partial<Context> = {},
) {
  return scriptedContext(fakeHost(files), [], {
    uid: 0,
    ...fakePrograms((words) => answers[words] ?? null),
    ...parts,
  });
}

const all = { limit: 50, offset: 0 };

test('each program comes with its attachments, maps and run time', async () => {
  const { data } = await collectBpfPrograms(host(tracer), all, call);
  const named = (name: string) => data.programs.find((each) => each.name === name);
  expect(data.total_count).toBe(8);
  expect(data.by_type).toEqual({
    cgroup_skb: 1,
    flow_dissector: 1,
    kprobe: 1,
    perf_event: 2,
    raw_tracepoint: 1,
    tracepoint: 1,
    xdp: 1,
  });
  expect(named('sched_switch')).toMatchObject({
    type: 'tracepoint',
    xlated_insns: 31,
    run_count: 258,
    run_time_ns: 328_625,
    avg_run_time_ns: 1273.7,
    maps_memlock_bytes: 426_880,
    links: [{ id: null, type: 'tracepoint', target: 'sched_switch' }],
    window: null,
  });
  expect(named('demo_egress')?.links).toEqual([
    { id: 90, type: 'cgroup', target: 'cgroup_inet_egress of cgroup 1' },
  ]);
  expect(data.maps_memlock_bytes).toBe(426_880 + 394_112 + 336);
});

test('a run time that nobody counted is null with the command that counts it', async () => {
  const { data, unavailable } = await collectBpfPrograms(host(tracer), all, call);
  expect(data.programs.find(({ name }) => name === 'readline')?.run_count).toBeNull();
  expect(data.run_time_stats.enabled).toBe(false);
  expect(unavailable?.[0]).toMatchObject({
    what: 'run time of 4 programs',
    fix: 'sudo sysctl kernel.bpf_stats_enabled=1',
  });
});

test('where the kernel counts, a program that never ran ran 0 times', async () => {
  const ctx = host(tracer, { [setting]: '1\n' });
  const { data, unavailable } = await collectBpfPrograms(ctx, all, call);
  expect(data.programs.find(({ name }) => name === 'readline')?.run_count).toBe(0);
  expect(unavailable?.map(({ what }) => what)).toEqual(['percentiles of the run time']);
});

test('descriptors tell who holds a program and how much of it was verified', async () => {
  // The links of /proc/<pid>/fd name what is open; a folder of files cannot hold such a link.
  const ctx = host(tracer, {
    'proc/4242/comm': 'bpf\u001b[2Jtrace\n',
    'proc/4242/fd/7': '',
    'proc/4242/fdinfo/7': recorded('bpf-fdinfo', 'prog-raw'),
  });
  const link = (path: string) => (path === '/proc/4242/fd/7' ? 'anon_inode:bpf-prog' : null);
  const files = { ...ctx.files, link };
  const { data } = await collectBpfPrograms({ ...ctx, files }, all, call);
  const program = data.programs.find(({ name }) => name === 'demo_switch');
  expect(program?.pids).toEqual([{ pid: 4242, comm: 'bpf [2Jtrace' }]);
  expect(program?.verified_insns).toBe(2);
});

test('a user does not know who else holds a program, unless bpftool says so', async () => {
  const { data, warnings } = await collectBpfPrograms(host(tracer, {}, { uid: 1000 }), all, call);
  expect(data.programs.map(({ pids }) => pids)).toEqual(data.programs.map(() => null));
  expect(warnings?.join()).toContain('holders of programs may be missing');
});

test('programs of a sched_ext scheduler say so', async () => {
  const scheduler = {
    'bpftool -j prog show':
      '[{"id":31,"type":"struct_ops","name":"min_enqueue","bytes_xlated":80},{"id":40,"type":"struct_ops","name":"dctcp_init","bytes_xlated":80},{"id":50,"type":"syscall","name":"other","bytes_xlated":16}]',
    'bpftool -j link show': '[{"id":6,"type":"struct_ops","prog_id":0,"map_id":12}]',
    'bpftool -j map show': '[]',
    'bpftool -j perf show': '[]',
    'bpftool -j struct_ops show': recorded('bpftool-struct-ops', 'synthetic-scheduler'),
    'bpftool -j struct_ops dump': recorded('bpftool-struct-ops-dump', 'synthetic-scheduler'),
  };
  const { data, summary } = await collectBpfPrograms(
    host(scheduler),
    { ...all, type: 'struct_ops' },
    call,
  );
  expect(data.programs).toHaveLength(2);
  expect(data.programs.find(({ id }) => id === 31)).toMatchObject({
    type: 'struct_ops',
    scheduler: 'scx_min',
    struct_ops: { kernel_struct_ops: 'sched_ext_ops', map_id: 12, callback: 'enqueue' },
    links: [{ id: 6, type: 'struct_ops' }],
  });
  expect(data.programs.find(({ id }) => id === 40)).toMatchObject({
    scheduler: null,
    struct_ops: { kernel_struct_ops: 'tcp_congestion_ops', callback: 'init' },
    links: [],
  });
  expect(data.by_type).toEqual({ struct_ops: 2, syscall: 1 });
  expect(summary).toContain('1 are callbacks of the sched_ext scheduler scx_min.');
});

describe('a window of run times', () => {
  test('is measured without a helper where the kernel counts anyway', async () => {
    const prog = (ns: number, count: number) =>
      `[{"id":1,"type":"xdp","name":"a","run_time_ns":${ns},"run_cnt":${count}},{"id":2,"type":"xdp","name":"b"}]`;
    let listed = 0;
    const ctx = host({}, { [setting]: '1\n' });
    const answers = (words: string): string => {
      if (words !== 'bpftool -j prog show') return '[]';
      listed += 1;
      return listed === 1 ? prog(1_000_000, 10) : prog(21_000_000, 1010);
    };
    const parts = { ...ctx, ...fakePrograms(answers) };
    const { data, window_ms } = await collectBpfPrograms(parts, { ...all, stats_ms: 1000 }, call);
    expect(window_ms).toBe(1000);
    expect(data.programs.map(({ name, window }) => ({ name, window }))).toEqual([
      {
        name: 'a',
        window: {
          run_count: 1000,
          run_count_per_s: 1000,
          run_time_ns: 20_000_000,
          avg_run_time_ns: 20_000,
          cpu_pct: 2,
        },
      },
      {
        name: 'b',
        window: {
          run_count: 0,
          run_count_per_s: 0,
          run_time_ns: 0,
          avg_run_time_ns: null,
          cpu_pct: 0,
        },
      },
    ]);
  });

  test('in which somebody switched counting off says so', async () => {
    const root = fakeHost({ [setting]: '1\n' });
    const ctx = scriptedContext(root, [{ [setting]: '0\n' }], {
      uid: 0,
      ...fakePrograms((words) => (words.includes('prog') ? tracer['bpftool -j prog show'] : '[]')),
    });
    const { warnings } = await collectBpfPrograms(ctx, { ...all, stats_ms: 500 }, call);
    expect(warnings?.[0]).toContain('switched kernel.bpf_stats_enabled off');
  });

  test('is refused in a read-only server, which would have to change the host', async () => {
    const ctx = host(tracer, undefined, { settings: { daemon: false, readOnly: true } });
    const reading = collectBpfPrograms(ctx, { ...all, stats_ms: 500 }, call);
    await expect(reading).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      suggestion: expect.stringContaining('sudo sysctl kernel.bpf_stats_enabled=1'),
    });
  });

  test('is refused to others than root', async () => {
    const ctx = host(tracer, undefined, { uid: 1000 });
    const reading = collectBpfPrograms(ctx, { ...all, stats_ms: 500 }, call);
    await expect(reading).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

describe('programs that cannot be listed are unavailable, not none', () => {
  test('for want of rights', async () => {
    const answers = { ...tracer, 'bpftool -j prog show': recorded('bpftool-prog', 'not-root') };
    const ctx = host(answers, undefined, { uid: 1000 });
    const { data, unavailable } = await collectBpfPrograms(ctx, all, call);
    expect(data).toMatchObject({ programs: [], total_count: null });
    expect(unavailable?.[0]).toMatchObject({
      reason: expect.stringContaining('Operation not permitted'),
      fix: 'sudo tracewright read bpf://programs',
    });
  });

  test('for want of bpftool', async () => {
    const { data, unavailable } = await collectBpfPrograms(host({}), all, call);
    expect(data.total_count).toBeNull();
    expect(unavailable?.[0]).toMatchObject({ fix: 'install it' });
  });
});

test('2,000 programs stay below 10,000 tokens and are paged', async () => {
  const rows = Array.from({ length: 2000 }, (_, index) => ({
    id: index + 1,
    type: 'kprobe',
    name: `program_${index}`,
    tag: '59f4a931744dcdc6',
    loaded_at: 1_795_240_258,
    uid: 0,
    bytes_xlated: 4000,
    bytes_jited: 2500,
    bytes_memlock: 4096,
  }));
  const answers = { 'bpftool -j prog show': JSON.stringify(rows) };
  const ctx = host({ ...tracer, ...answers });
  const reading = await collectBpfPrograms(ctx, { limit: 500, offset: 0 }, call);
  expect(JSON.stringify(reading).length / 4).toBeLessThan(10_000);
  expect(reading.data.total_count).toBe(2000);
  expect(reading.next).toBe(`bpf://programs?offset=${reading.data.programs.length}`);
});

test('the memory of programs is not known where that of one is not', async () => {
  const prog = '[{"id":1,"type":"kprobe","bytes_memlock":4096},{"id":2,"type":"kprobe"}]\n';
  const { data } = await collectBpfPrograms(
    host({ ...tracer, 'bpftool -j prog show': prog }),
    all,
    call,
  );
  expect(data.total_count).toBe(2);
  expect(data.programs_memlock_bytes).toBeNull();
});
