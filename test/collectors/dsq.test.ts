import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { collectDsqs } from '../../src/collectors/dsq.ts';
import { type Context, createContext } from '../../src/context.ts';
import type { Running } from '../../src/exec/start.ts';
import { fakeHost } from '../fake-host.ts';

const query = { limit: 32, offset: 0, window_ms: 1000, histogram: false };
const call = { signal: new AbortController().signal, progress: () => {} };
const loaded = {
  'sys/kernel/sched_ext/state': 'enabled\n',
  'sys/kernel/sched_ext/enable_seq': '1\n',
  'sys/kernel/sched_ext/root/ops': 'lab_vtime_1.0.0\n',
};

function context(files: Record<string, string>, changes: Partial<Context> = {}): Context {
  const ctx = createContext({ daemon: false, readOnly: false }, fakeHost(files));
  return { ...ctx, uid: 0, find: () => ({ path: '/usr/bin/bpftrace' }), ...changes };
}

test.each([
  ['the kernel has no sched_ext', {}, {}, /CONFIG_SCHED_CLASS_EXT/],
  [
    'no scheduler is loaded',
    { 'sys/kernel/sched_ext/state': 'disabled\n' },
    {},
    /No sched_ext scheduler/,
  ],
  ['the server is not root', loaded, { uid: 1000 }, /root/],
  ['bpftrace is missing', loaded, { find: () => ({ problem: 'missing', path: null }) }, /bpftrace/],
  ['the server is read-only', loaded, { settings: { daemon: false, readOnly: true } }, /read-only/],
  ['the kernel has no BTF', loaded, {}, /BTF/],
] as [string, Record<string, string>, Partial<Context>, RegExp][])(
  'queues are unavailable, with the reason, where %s',
  async (_why, files, changes, reason) => {
    const { data, unavailable } = await collectDsqs(context(files, changes), query, call);
    expect(data.dsqs).toBeNull();
    expect(unavailable?.[0]?.what).toBe('stats://aggregated/dsq');
    expect(unavailable?.[0]?.reason).toMatch(reason);
  },
);

/** A bpftrace that prints what one printed in the lab, all at once. */
function replay(): Pick<Context, 'start' | 'scratch' | 'script' | 'run'> {
  const output = readFileSync(
    'fixtures/dsq/vtime-llc-2cpu.k6.18.15+deb13.bpftrace-0.23.2/input.txt',
    'utf8',
  );
  const finished = { stdout: '', stderr: '', exit_code: 0, signal: null, duration_ms: 1 };
  const running: Running = {
    pid: 1,
    finished: Promise.resolve({ ...finished, stopped_by: 'caller' }),
    printMaps: () => {},
    stop: () => {},
    control: () => {
      throw new Error('no control pipe');
    },
  };
  const path = () => '/tmp/dsq.bt';
  return {
    scratch: { path, write: path, readFrom: () => new Uint8Array(), remove: () => {} },
    script: () => ({ path: '', text: readFileSync('scripts/bpftrace/dsq.bt', 'utf8') }),
    run: () => Promise.resolve({ ...finished, stdout: 'bpftrace v0.23.2', stopped_by: 'exit' }),
    start: (_command, options) => {
      options?.onStdout?.(output);
      return Promise.resolve({ ...running, finished: new Promise(() => {}) });
    },
  };
}

test('queues add up what bpftrace printed, over the intervals it printed', async () => {
  const host = context(loaded);
  const bytes = btfOf('dispatch_enqueue', ['sch', 'dsq', 'p', 'enq_flags']);
  const settings = { daemon: true, readOnly: false };
  const ctx = { ...host, ...replay(), settings, files: { ...host.files, bytes: () => bytes } };
  const { data, window_ms, summary } = await collectDsqs(ctx, query, call);
  expect(window_ms).toBe(3000);
  expect(data.attached).toContain('fentry:dispatch_enqueue');
  expect(summary[0]).toContain('lab_vtime');
  const rows = data.dsqs ?? [];
  expect(rows.map((row) => row.label).sort()).toEqual(['LOCAL', 'user', 'user']);
  for (const { queue_wait, inserts_per_s, nr_enqueues } of rows) {
    expect(inserts_per_s).toBeCloseTo(nr_enqueues / 3, 0);
    if (!('p50_ns' in queue_wait)) continue;
    const { p50_ns, p90_ns, p99_ns, max_ns } = queue_wait;
    const rising = [p50_ns, p90_ns, p99_ns, max_ns].map(Number);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
  }
  const vtime = rows.find((row) => row.dsq_id === '0x64')?.vtime;
  expect(vtime?.spread).toBe(Number(vtime?.max) - Number(vtime?.min));
});

test('a scheduler that is ejected while its queues are watched is told with the reason', async () => {
  const root = fakeHost(loaded);
  const bytes = btfOf('dispatch_enqueue', ['sch', 'dsq', 'p', 'enq_flags']);
  const log = [
    '[   54.86] sched_ext: BPF scheduler "lab_vtime_1.0.0" disabled (runnable task stall)',
    '[   54.87] sched_ext: lab_vtime_1.0.0: python3[213] failed to run for 1.140s',
  ];
  const host = { ...createContext({ daemon: true, readOnly: false }, root), ...replay() };
  const printed = { stderr: '', exit_code: 0, signal: null, duration_ms: 1 };
  let print = (): void => {};
  const ctx: Context = {
    ...host,
    uid: 0,
    find: () => ({ path: '/usr/bin/bpftrace' }),
    files: { ...host.files, bytes: () => bytes },
    run: ({ program }) => {
      const stdout = program.name === 'dmesg' ? log.join('\n') : 'bpftrace v0.23.2';
      return Promise.resolve({ ...printed, stdout, stopped_by: 'exit' });
    },
    start: async (command, options) => {
      const attached = '{"type": "attached_probes", "data": {"probes": 4}}\n';
      options?.onStdout?.(attached);
      print = () => void host.start(command, options);
      return await host.start(command, {});
    },
    sleep: () => {
      fakeHost({ 'sys/kernel/sched_ext/state': 'disabled\n' }, root);
      print();
      return Promise.resolve();
    },
  };
  const { data, warnings } = await collectDsqs(ctx, query, call);
  const reason = 'runnable task stall: python3[213] failed to run for 1.140s';
  expect(data.changes).toMatchObject([{ was: 'lab_vtime', now: null, reason }]);
  expect(warnings?.[0]).toMatch(
    /^lab_vtime ended (after \d+ ms|meanwhile) \(runnable task stall: /,
  );
  expect(data.scheduler).toBe('lab_vtime');
  expect(data.dsqs?.map((row) => row.label).sort()).toEqual(['LOCAL', 'user', 'user']);
});

/** A BTF file with one function and its parameters (include/uapi/linux/btf.h). */
function btfOf(name: string, parameters: readonly string[]): Uint8Array {
  const strings = Buffer.from(`\0${[name, ...parameters].join('\0')}\0`);
  const offset = (text: string): number => strings.indexOf(`\0${text}\0`) + 1;
  const words = [0, (13 << 24) | parameters.length, 0];
  for (const parameter of parameters) words.push(offset(parameter), 0);
  words.push(offset(name), 12 << 24, 1);
  const types = Buffer.from(Uint32Array.from(words).buffer);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return Buffer.concat([header, types, strings]);
}
