import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { collectCgroupSummary } from '../../src/collectors/cgroup-summary.ts';
import { collectFdTrace } from '../../src/collectors/fd-trace.ts';
import { collectHostInfo } from '../../src/collectors/host-info.ts';
import { collectIoLatency } from '../../src/collectors/io-latency.ts';
import { collectNetHealth } from '../../src/collectors/net-health.ts';
import { collectSnapshot } from '../../src/collectors/snapshot.ts';
import { collectUseCheck } from '../../src/collectors/use-check.ts';
import { type Call, createContext } from '../../src/context.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { noGroups, type TestGroup, testGroup } from './cgroups.ts';

const call: Call = { signal: new AbortController().signal, progress: () => {} };
const context = () => createContext({ daemon: false, readOnly: false });

/** Loads of this test, each the leader of a process group that ends with it. */
const leaders: number[] = [];
function load(program: string, ...args: readonly string[]): number {
  const { pid = 0 } = spawn(program, args, { stdio: 'ignore', detached: true });
  leaders.push(pid);
  return pid;
}
const groups: TestGroup[] = [];
afterEach(async () => {
  for (const leader of leaders.splice(0)) {
    try {
      process.kill(-leader, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await delay(300);
  for (const group of groups.splice(0)) group.remove();
});

const cpus = availableParallelism();
const loop = 'while :; do :; done';
const noPressure = !existsSync('/proc/pressure/memory')
  ? ' (skipped: the kernel has no PSI)'
  : existsSync('/usr/bin/python3')
    ? ''
    : ' (skipped: python3 is not installed)';

test('three loops for each CPU are found as busy CPUs with tasks that wait', {
  retry: 1,
}, async () => {
  for (let each = 0; each < cpus * 3; each++) load('sh', '-c', loop);
  await delay(500);
  const { data } = await collectUseCheck(context(), { duration_seconds: 2 }, call);
  expect(data.summary.status).toBe('critical');
  expect(data.resources.cpu.utilization).toMatchObject({ status: 'critical' });
  expect(data.resources.cpu.utilization.value).toBeGreaterThan(95);
  // Others run here too: at least the loops, and not twice as many.
  const { run_queue } = data.resources.cpu.saturation.measures;
  expect(run_queue).toBeGreaterThanOrEqual(cpus * 3 - 0.5);
  expect(run_queue).toBeLessThan(cpus * 6);
  expect(data.summary.top_suspicions[0]).toMatch(/^cpu /);
});

describe('a disk', () => {
  const room = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'tracewright-'));
  afterAll(() => rmSync(room, { recursive: true }));

  test('that is written to shows the bytes that dd wrote', {
    retry: 2,
    timeout: 40_000,
  }, async () => {
    const file = join(room, 'file');
    const started = performance.now();
    const dd = spawn(
      'dd',
      ['if=/dev/zero', `of=${file}`, 'bs=64k', 'count=16000', 'oflag=direct'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const ended = new Promise((resolve) => dd.once('close', resolve));
    await delay(100);
    const { data } = await collectIoLatency(
      context(),
      { duration_seconds: 1, mode: 'snapshot' },
      call,
    );
    const still = dd.exitCode === null;
    await ended;
    const bytes_per_s = (16_000 * 65_536 * 1000) / (performance.now() - started);
    const [busiest] = data.devices;
    expect(busiest?.writes_per_sec).toBeGreaterThan(100);
    expect(busiest?.write_wait_ms).toBeGreaterThan(0);
    // A direct write is one request, or a few where the device takes less at once.
    expect(busiest?.avg_write_bytes).toBeLessThanOrEqual(80_000);
    expect(busiest?.avg_write_bytes).toBeGreaterThan(16_000);
    if (still) {
      expect((busiest?.write_bytes_per_sec ?? 0) / bytes_per_s).toBeGreaterThan(0.6);
      expect((busiest?.write_bytes_per_sec ?? 0) / bytes_per_s).toBeLessThan(1.6);
    }
  });
});

const noTrace =
  process.geteuid?.() !== 0
    ? ' (skipped: tracing needs root)'
    : existsSync('/usr/bin/bpftrace')
      ? ''
      : ' (skipped: bpftrace is not installed)';

test.skipIf(noTrace !== '')(
  `a trace of the disk spreads the requests around the mean of the counters${noTrace}`,
  { retry: 2, timeout: 40_000 },
  async () => {
    const file = join(mkdtempSync('/var/tmp/tracewright-'), 'file');
    load('sh', '-c', `while :; do dd if=/dev/zero of=${file} bs=32k count=9000 oflag=direct; done`);
    await delay(500);
    try {
      const params = { duration_seconds: 2, mode: 'trace' } as const;
      const { data } = await collectIoLatency(context(), params, call);
      const traced = (data.latency_histogram ?? []).reduce((sum, { count }) => sum + count, 0);
      expect(traced).toBe(data.latency?.total_ios);
      const per_s = (traced * 1000) / (data.trace_window_ms ?? 0);
      const counted =
        (data.devices[0]?.writes_per_sec ?? 0) + (data.devices[0]?.reads_per_sec ?? 0);
      expect(per_s / counted).toBeGreaterThan(0.7);
      expect(per_s / counted).toBeLessThan(1.4);
      // The counters are in whole milliseconds, summed before they are rounded.
      const mean_ms = (data.latency?.avg_latency_us ?? 0) / 1000;
      expect(Math.abs(mean_ms - (data.devices[0]?.avg_wait_ms ?? 0))).toBeLessThan(
        Math.max(0.05, mean_ms * 0.5),
      );
    } finally {
      rmSync(dirname(file), { recursive: true });
    }
  },
);

test('a program that leaks ten descriptors a second is found at that rate', {
  timeout: 30_000,
}, async () => {
  const pid = load(process.execPath, 'test/live/programs/leak-descriptors.mjs');
  await delay(1000);
  const params = { interval_sec: 1, include_fd_list: true, max_fds_listed: 100 };
  const { data } = await collectFdTrace(context(), { ...params, pid, duration_seconds: 5 }, call);
  const { fd_growth_rate, is_likely_leak, new_descriptors } = data.leak_detection;
  expect(is_likely_leak).toBe(true);
  expect(fd_growth_rate).toBeGreaterThan(8.5);
  expect(fd_growth_rate).toBeLessThan(10.5);
  expect(new_descriptors[0]).toMatchObject({ type: 'file', where: '/etc/' });
  const limit = data.current.soft_limit ?? 0;
  const left = (limit - data.current.total_fds) / (fd_growth_rate ?? 1);
  expect(data.leak_detection.time_to_exhaustion_seconds).toBeCloseTo(left, -1);
});

test('a program that does nothing leaks nothing', async () => {
  const pid = load('sleep', '60');
  const params = { interval_sec: 1, include_fd_list: true, max_fds_listed: 100 };
  const { data } = await collectFdTrace(context(), { ...params, pid, duration_seconds: 3 }, call);
  expect(data.leak_detection).toMatchObject({ is_likely_leak: false, fd_change: 0 });
  expect(data.fd_list?.slice(0, 3).map(({ target }) => target)).toEqual(Array(3).fill('/dev/null'));
});

const skipped = noGroups();
describe.skipIf(skipped !== '')(`a cgroup${skipped}`, () => {
  const group = (): TestGroup => {
    const made = testGroup(`tracewright-test-${process.pid}`);
    groups.push(made);
    return made;
  };

  test('that may use a fifth of a CPU uses it and is throttled', { retry: 1 }, async () => {
    const limited = group();
    limited.limitCpu(0.2);
    load(...limited.shell(loop));
    await delay(500);
    const params = { cgroup_path: limited.path, duration_seconds: 3 };
    const { data } = await collectCgroupSummary(context(), params, call);
    expect(data.cgroup_version).toBe(limited.version);
    expect(data.cpu.limit_cores).toBe(0.2);
    expect(data.cpu.window.usage_cores).toBeGreaterThan(0.17);
    expect(data.cpu.window.usage_cores).toBeLessThan(0.23);
    expect(data.cpu.window.throttled_pct).toBeGreaterThan(85);
    expect(data.issues.join()).toMatch(/Throttled in \d+(\.\d)? % of \d+ periods/);
    const { data: root } = await collectCgroupSummary(context(), { duration_seconds: 1 }, call);
    const found = root.busiest?.find(({ path }) => path === limited.path);
    expect(found?.usage_cores).toBeGreaterThan(0.15);
  });

  test('by a process in it is the group by its path', async () => {
    const other = group();
    const pid = load(...other.shell('exec sleep 60'));
    await delay(300);
    const { data } = await collectCgroupSummary(context(), { pid, duration_seconds: 1 }, call);
    expect(data.cgroup_path.endsWith(other.path)).toBe(true);
  });

  const scratchFile = (): string => join(mkdtempSync('/var/tmp/tracewright-'), 'file');
  const limit = 32 * 1024 * 1024;

  // Without truncation: that would give all pages back at once.
  test('that writes more than it may hold meets its limit', { timeout: 40_000 }, async () => {
    const small = group();
    small.limitMemory(limit);
    const file = scratchFile();
    try {
      load(
        ...small.shell(`while :; do dd if=/dev/zero of=${file} bs=1M count=100 conv=notrunc; done`),
      );
      await delay(2500);
      const params = { cgroup_path: small.path, duration_seconds: 3 };
      const { data } = await collectCgroupSummary(context(), params, call);
      expect(data.memory.effective_max_bytes).toBe(limit);
      expect(data.memory.usage_percent).toBeGreaterThan(80);
      expect(data.memory.usage_percent).toBeLessThanOrEqual(100);
      expect(data.memory.window.limit_hits).toBeGreaterThan(10);
      expect(data.memory.file_bytes).toBeGreaterThan(limit / 2);
      expect(data.issues.join()).toContain('of its limit');
    } finally {
      rmSync(dirname(file), { recursive: true });
    }
  });

  test.skipIf(noPressure !== '')(
    `that needs pages it may not keep is pressure on memory${noPressure}`,
    { retry: 2, timeout: 40_000 },
    async () => {
      const small = group();
      small.limitMemory(limit);
      const file = scratchFile();
      try {
        const fill = `dd if=/dev/zero of=${file} bs=1M count=150`;
        const thrash = `/usr/bin/python3 test/live/programs/thrash.py ${file}`;
        load(...small.shell(`${fill}; ${thrash} & ${thrash} & wait`));
        await delay(4000);
        const { data } = await collectUseCheck(context(), { duration_seconds: 3 }, call);
        const { saturation } = data.resources.memory;
        expect(saturation.measures['stalled_some_pct']).toBeGreaterThan(10);
        expect(saturation.status).not.toBe('ok');
        expect(data.suspicions).toContainEqual(
          expect.objectContaining({ resource: 'memory', metric: 'stalled_some_pct' }),
        );
      } finally {
        rmSync(dirname(file), { recursive: true });
      }
    },
  );
});

test('a server that accepts nobody is found by its queue', { retry: 1 }, async () => {
  // Node.js accepts by itself: a loop keeps it from that.
  const blocked = `
    const server = require('net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 2 }, () => {
      process.send(server.address().port);
      setTimeout(() => { for (;;); }, 200);
    });`;
  const child = spawn(process.execPath, ['-e', blocked], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  });
  if (child.pid !== undefined) leaders.push(child.pid);
  const port = Number(await new Promise((resolve) => child.once('message', resolve)));
  await delay(400);
  const sockets: Socket[] = [];
  const measured = collectNetHealth(
    context(),
    { duration_seconds: 2, include_tcp_details: true },
    call,
  );
  for (let each = 0; each < 12; each++) {
    sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
  }
  const { data } = await measured;
  for (const socket of sockets) socket.destroy();
  expect(data.tcp_details?.['listen_overflows']).toBeGreaterThan(0);
  expect(data.issues.join()).toContain('full accept queue');
  expect(data.tcp_details?.['accept_queues']).toContainEqual({
    local: `127.0.0.1:${port}`,
    waiting_for_accept: 3,
  });
});

test('connections over loopback are counted', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const measured = collectNetHealth(
    context(),
    { duration_seconds: 1, include_tcp_details: false, interface: 'lo' },
    call,
  );
  await delay(100);
  for (let each = 0; each < 25; each++) {
    await new Promise((resolve) => connect(port, '127.0.0.1').resume().once('close', resolve));
  }
  const { data } = await measured;
  server.close();
  expect(data.tcp.active_connections).toBeGreaterThanOrEqual(25);
  expect(data.tcp.passive_connections).toBeGreaterThanOrEqual(25);
  expect(data.interfaces).toHaveLength(1);
  expect(data.interfaces[0]?.rx_packets).toBeGreaterThanOrEqual(25 * 6);
});

describe.skipIf(!mayBecomeNobody)(
  `another user than root${mayBecomeNobody ? '' : ' (skipped: needs root)'}`,
  () => {
    const asNobody = async <T>(
      work: (ctx: ReturnType<typeof context>) => Promise<T>,
    ): Promise<T> => {
      becomeNobody();
      try {
        return await work({ ...context(), uid: 65_534 });
      } finally {
        becomeRoot();
      }
    };

    test('has the same snapshot, check, disks, network and root cgroup', async () => {
      const options = { include_per_cpu: true, include_per_device: true, include_psi: true };
      const snapshot = await asNobody((ctx) => collectSnapshot(ctx, options, call));
      expect(snapshot.data.cpu.busy).not.toBeNull();
      expect(snapshot.data.io.devices).not.toBeNull();
      const check = await asNobody((ctx) => collectUseCheck(ctx, { duration_seconds: 1 }, call));
      expect(check.data.summary.status).not.toBeNull();
      const disks = await asNobody((ctx) =>
        collectIoLatency(ctx, { duration_seconds: 1, mode: 'snapshot' }, call),
      );
      expect(disks.data.devices.length).toBeGreaterThan(0);
      const params = { duration_seconds: 1, include_tcp_details: true };
      const network = await asNobody((ctx) => collectNetHealth(ctx, params, call));
      expect(network.data.tcp.out_segs).not.toBeNull();
      const cgroup = await asNobody((ctx) =>
        collectCgroupSummary(ctx, { duration_seconds: 1 }, call),
      );
      expect(cgroup.data.cpu.usage_usec).toBeGreaterThan(0);
    });

    test('is told that it may neither profile the machine nor load BPF', async () => {
      const { data } = await asNobody((ctx) => collectHostInfo(ctx));
      expect(data.capabilities).toMatchObject({ perf_permitted: false, bpf_permitted: false });
      expect(data.system.kernel).not.toBeNull();
    });
  },
);
