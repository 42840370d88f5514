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

const printed = readFileSync(
  'fixtures/dsq/vtime-llc-2cpu.k6.18.15+deb13.bpftrace-0.23.2/input.txt',
  'utf8',
);
const ended = { stderr: '', exit_code: 0, signal: null, duration_ms: 1 };

/**
 * A bpftrace that prints what one printed in the lab: one interval whenever somebody waits, half a
 * second later each time. `meanwhile` is what else happens then.
 */
function replay(root: string, log: string, meanwhile: (wait: number) => void): Context {
  const host = createContext({ daemon: true, readOnly: false }, root);
  const bytes = btfOf('dispatch_enqueue', ['sch', 'dsq', 'p', 'enq_flags']);
  const running: Running = {
    pid: 1,
    finished: new Promise(() => {}),
    printMaps: () => {},
    stop: () => {},
    control: () => {
      throw new Error('no control pipe');
    },
  };
  const path = () => '/tmp/dsq.bt';
  const intervals = printed.split(/(?<="@intervals": \d+\}\}\n)/);
  let waits = 0;
  let clock_ms = 1000;
  let print = (): void => {};
  return {
    ...host,
    uid: 0,
    find: () => ({ path: '/usr/bin/bpftrace' }),
    files: { ...host.files, bytes: () => bytes },
    scratch: {
      path,
      write: path,
      readFrom: () => Promise.resolve(new Uint8Array()),
      remove: () => {},
    },
    script: () => ({ path: '', text: readFileSync('scripts/bpftrace/dsq.bt', 'utf8') }),
    run: ({ program }) => {
      const stdout = program.name === 'dmesg' ? log : 'bpftrace v0.23.2';
      return Promise.resolve({ ...ended, stdout, stopped_by: 'exit' });
    },
    start: (_command, options) => {
      print = () => options?.onStdout?.(intervals[waits] ?? '');
      return Promise.resolve(running);
    },
    monotonicMs: () => clock_ms,
    sleep: () => {
      clock_ms += 500;
      print();
      waits += 1;
      meanwhile(waits);
      return Promise.resolve();
    },
  };
}

/** What the maps held after the interval before the last: all inserts since the start. */
function insertsAfter(interval: number): Record<string, number> {
  const line = printed.split('\n').filter((each) => each.includes('"@depth"'))[interval];
  const { data } = JSON.parse(line ?? '{}') as { data: Record<string, Record<string, Count>> };
  const counts = Object.entries(data['@depth'] ?? {}).map(([id, { count }]) => [id, count]);
  return Object.fromEntries(counts) as Record<string, number>;
}
type Count = { count: number };

test('queues add up what bpftrace printed, over the time between its prints', async () => {
  const ctx = replay(fakeHost(loaded), '', () => {});
  const { data, window_ms, summary } = await collectDsqs(ctx, { ...query, window_ms: 2000 }, call);
  expect(window_ms).toBe(2000);
  expect(data.attached).toContain('fentry:dispatch_enqueue');
  expect(summary[0]).toContain('lab_vtime');
  const rows = data.dsqs ?? [];
  expect(rows.map((row) => row.label).sort()).toEqual(['LOCAL', 'user', 'user']);
  const [first, last] = [insertsAfter(0), insertsAfter(4)];
  for (const { dsq_id, queue_wait, inserts_per_s, nr_enqueues } of rows) {
    const id = BigInt.asIntN(64, BigInt(dsq_id)).toString();
    expect(nr_enqueues).toBe((last[id] ?? 0) - (first[id] ?? 0));
    expect(inserts_per_s).toBeCloseTo(nr_enqueues / 2, 0);
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
  const log = [
    '[   54.86] sched_ext: BPF scheduler "lab_vtime_1.0.0" disabled (runnable task stall)',
    '[   54.87] sched_ext: lab_vtime_1.0.0: python3[213] failed to run for 1.140s',
  ];
  const ctx = replay(root, log.join('\n'), (wait) => {
    if (wait === 3) fakeHost({ 'sys/kernel/sched_ext/state': 'disabled\n' }, root);
  });
  const { data, warnings, window_ms } = await collectDsqs(ctx, { ...query, window_ms: 2000 }, call);
  const reason = 'runnable task stall: python3[213] failed to run for 1.140s';
  expect(data.changes).toEqual([{ after_ms: 1000, was: 'lab_vtime', now: null, reason }]);
  expect(warnings).toEqual([`lab_vtime ended after 1000 ms (${reason}).`]);
  expect(window_ms).toBe(1000);
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
