import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { cpuShares } from '../../src/collectors/cpu-shares.ts';
import { measureCpuWindow } from '../../src/collectors/cpu-window.ts';
import { sumKnown } from '../../src/collectors/rates.ts';
import { collectSystemCpu } from '../../src/collectors/system-cpu.ts';
import { collectSystemMemory } from '../../src/collectors/system-memory.ts';
import { collectSystemNetwork } from '../../src/collectors/system-network.ts';
import { type Call, createContext } from '../../src/context.ts';

const call: Call = { signal: new AbortController().signal, progress: () => {} };
const context = (readOnly = false) => createContext({ daemon: false, readOnly });
const has = (program: string): boolean =>
  ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) => existsSync(`${folder}/${program}`));
const json = (program: string, ...args: string[]): unknown =>
  JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));

/** Loads of this test, each the leader of a process group that ends with it. */
const leaders: number[] = [];
const load = (program: string, ...args: string[]): void => {
  const { pid } = spawn(program, args, { stdio: 'ignore', detached: true });
  if (pid !== undefined) leaders.push(pid);
};
afterEach(() => {
  for (const leader of leaders.splice(0)) process.kill(-leader, 'SIGKILL');
});

type CpuLoad = Readonly<Record<string, number>> & Readonly<{ cpu: string }>;
type Mpstat = {
  sysstat: { hosts: { statistics: { 'cpu-load': CpuLoad[] }[] }[] };
};

async function mpstat(seconds: number): Promise<readonly CpuLoad[]> {
  const args = ['-P', 'ALL', '-o', 'JSON', String(seconds), '1'];
  const { stdout } = await promisify(execFile)('mpstat', args);
  const parsed: Mpstat = JSON.parse(stdout);
  return parsed.sysstat.hosts[0]?.statistics[0]?.['cpu-load'] ?? [];
}

const needsMpstat = has('mpstat') ? '' : ' (skipped: mpstat is not installed)';

test.skipIf(needsMpstat !== '')(
  `utilisation of each CPU is that of mpstat within 2 points${needsMpstat}`,
  { retry: 1, timeout: 30_000 },
  async () => {
    load('sh', '-c', 'while :; do :; done');
    load('dd', 'if=/dev/zero', 'of=/dev/null', 'bs=512');
    await delay(300);
    // Without perf: its start would move our window against that of mpstat.
    const [theirs, ours] = await Promise.all([
      mpstat(4),
      measureCpuWindow(context(true), 4000, call),
    ]);
    expect(theirs.length).toBe(ours.online.length + 1);
    for (const cpu of ours.online) {
      const shares = cpuShares(ours.ticks.get(cpu)!);
      const other = theirs.find((each) => each.cpu === String(cpu))!;
      const pairs = [
        [shares.user_pct, other['usr']],
        [shares.nice_pct, other['nice']],
        [shares.system_pct, other['sys']],
        [shares.iowait_pct, other['iowait']],
        [shares.softirq_pct, other['soft']],
        [shares.steal_pct, other['steal']],
        [shares.idle_pct, other['idle']],
      ] as const;
      for (const [our, their] of pairs) {
        expect(Math.abs((our ?? Number.NaN) - (their ?? Number.NaN))).toBeLessThanOrEqual(2);
      }
    }
  },
);

const perfProblem =
  process.geteuid?.() !== 0
    ? ' (skipped: counting on every CPU needs root)'
    : has('perf')
      ? ''
      : ' (skipped: perf is not installed)';

test.skipIf(perfProblem !== '')(
  `context switches of the CPUs add up to those of the kernel${perfProblem}`,
  { retry: 1, timeout: 30_000 },
  async () => {
    load('perf', 'bench', 'sched', 'pipe', '-l', '100000000');
    const ctx = context();
    // What the first call starts (a helper) moves the load to another CPU, where it goes at another rate.
    await measureCpuWindow(ctx, 200, call);
    const ctxt = (): number => Number(/^ctxt (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    const started = [ctxt(), performance.now()] as const;
    const { switches } = await measureCpuWindow(ctx, 3000, call);
    const seconds = (performance.now() - started[1]) / 1000;
    const kernel = (ctxt() - started[0]) / seconds;
    const ours = sumKnown([...(switches?.of.values() ?? [])].map((each) => each.switches_per_s));
    expect(kernel).toBeGreaterThan(1000);
    expect((ours ?? 0) / kernel).toBeGreaterThan(0.9);
    expect((ours ?? 0) / kernel).toBeLessThan(1.1);
  },
);

describe('memory', () => {
  const free = (): Record<string, number> => {
    const [head = '', memory = '', swap = ''] = execFileSync('free', ['-b', '-w'], {
      encoding: 'utf8',
    }).split('\n');
    const names = head.trim().split(/\s+/);
    const [, ...values] = memory.split(/\s+/).map(Number);
    const [, swapTotal = 0] = swap.split(/\s+/).map(Number);
    return { ...Object.fromEntries(names.map((name, at) => [name, values[at] ?? 0])), swapTotal };
  };
  const missing = has('free') ? '' : ' (skipped: free is not installed)';

  test.skipIf(missing !== '')(`is that of free${missing}`, { retry: 2 }, async () => {
    const before = free();
    const { data } = await collectSystemMemory(context(), { window_ms: 100 }, call);
    const after = free();
    expect(data.total_bytes).toBe(before['total']);
    expect(data.swap_total_bytes).toBe(before['swapTotal']);
    const pairs = [
      ['free', data.free_bytes],
      ['available', data.available_bytes],
      ['shared', data.shared_bytes],
      ['buffers', data.buffers_bytes],
    ] as const;
    // Others use memory meanwhile: ours has to lie between the two, with a little room.
    const room = 32 * 1024 * 1024;
    for (const [name, ours] of pairs) {
      const range = [before[name] ?? 0, after[name] ?? 0];
      expect(ours).toBeGreaterThanOrEqual(Math.min(...range) - room);
      expect(ours).toBeLessThanOrEqual(Math.max(...range) + room);
    }
  });
});

describe('interfaces', () => {
  type Counters = { bytes: number; packets: number; errors: number; dropped: number };
  type Link = { ifname: string; stats64: { rx: Counters; tx: Counters } };
  const links = () => json('ip', '-s', '-j', 'link') as Link[];
  const missing = has('ip') ? '' : ' (skipped: ip is not installed)';

  test.skipIf(missing !== '')(`are those of ip, with its counters${missing}`, async () => {
    const before = links();
    const params = { limit: 512, offset: 0, window_ms: 100 };
    const { data } = await collectSystemNetwork(context(), params, call);
    const after = links();
    expect(data.interfaces.map(({ name }) => name).sort()).toEqual(
      before.map(({ ifname }) => ifname).sort(),
    );
    for (const row of data.interfaces) {
      const stats = [before, after].map(
        (list) => list.find(({ ifname }) => ifname === row.name)!.stats64,
      );
      const [from, to] = [stats[0]!, stats[1]!];
      expect(row.recv_bytes).toBeGreaterThanOrEqual(from.rx.bytes);
      expect(row.recv_bytes).toBeLessThanOrEqual(to.rx.bytes);
      expect(row.sent_packets).toBeGreaterThanOrEqual(from.tx.packets);
      expect(row.sent_packets).toBeLessThanOrEqual(to.tx.packets);
      expect(row.recv_errs).toBe(to.rx.errors);
    }
  });

  test('traffic over loopback shows as bytes per second', { retry: 1 }, async () => {
    const params = { limit: 512, offset: 0, window_ms: 1000 };
    const { createServer, connect } = await import('node:net');
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const socket = connect(port, '127.0.0.1');
    const megabyte = Buffer.alloc(1_000_000);
    const timer = setInterval(() => socket.write(megabyte), 100);
    await delay(500);
    const { data } = await collectSystemNetwork(context(), params, call);
    clearInterval(timer);
    socket.destroy();
    server.close();
    const rate = data.interfaces.find(({ name }) => name === 'lo')?.recv_bytes_per_s ?? 0;
    expect(rate).toBeGreaterThan(7_000_000);
    expect(rate).toBeLessThan(13_000_000);
  });
});

test('load averages are those of sysinfo(2)', { retry: 2 }, async () => {
  const { data } = await collectSystemCpu(context(), { window_ms: 100 }, call);
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  expect(data.load.one).toBeCloseTo(one, 1);
  expect(data.load.five).toBeCloseTo(five, 1);
  expect(data.load.fifteen).toBeCloseTo(fifteen, 1);
});
