import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { collectIoLatency } from '../../src/collectors/io-latency.ts';
import { collectNetHealth } from '../../src/collectors/net-health.ts';
import { collectSnapshotSeries } from '../../src/collectors/snapshot-series.ts';
import { type Call, createContext } from '../../src/context.ts';

const call: Call = { signal: new AbortController().signal, progress: () => {} };
const context = () => createContext({ daemon: false, readOnly: false });
const without = (program: string): string =>
  ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) => existsSync(`${folder}/${program}`))
    ? ''
    : ` (skipped: ${program} is not installed)`;
const json = async (program: string, ...args: string[]): Promise<unknown> =>
  JSON.parse((await promisify(execFile)(program, args)).stdout);

/** Loads of this test, each the leader of a process group that ends with it. */
const leaders: number[] = [];
const load = (program: string, ...args: string[]): void => {
  const { pid } = spawn(program, args, { stdio: 'ignore', detached: true });
  if (pid !== undefined) leaders.push(pid);
};
afterEach(() => {
  for (const leader of leaders.splice(0)) process.kill(-leader, 'SIGKILL');
});

/** Windows of two programs cannot begin and end at the same instant. */
function expectClose(
  ours: number | null | undefined,
  theirs: number,
  share: number,
  least: number,
) {
  expect(ours).not.toBeNull();
  expect(Math.abs((ours ?? Number.NaN) - theirs)).toBeLessThanOrEqual(
    Math.max(least, theirs * share),
  );
}

type Iostat = {
  sysstat: { hosts: { statistics: { disk: Record<string, number | string>[] }[] }[] };
};

const noIostat = without('iostat');
test.skipIf(noIostat !== '')(
  `disks have the rates, waits, queue and use of iostat -x${noIostat}`,
  { retry: 2, timeout: 60_000 },
  async () => {
    const file = join(mkdtempSync('/var/tmp/tracewright-'), 'file');
    try {
      const writes = `while :; do dd if=/dev/zero of=${file} bs=32k count=20000 oflag=direct; done`;
      load('sh', '-c', writes);
      await delay(1000);
      const reads = `while :; do dd if=${file} of=/dev/null bs=128k count=200 iflag=direct; sleep 0.05; done`;
      load('sh', '-c', reads);
      await delay(500);
      const [theirs, ours] = await Promise.all([
        json('iostat', '-dxy', '-o', 'JSON', '5', '1') as Promise<Iostat>,
        collectIoLatency(context(), { duration_seconds: 5, mode: 'snapshot' }, call),
      ]);
      const rows = theirs.sysstat.hosts[0]?.statistics[0]?.disk ?? [];
      const busiest = rows.reduce((a, b) => (Number(a['util']) > Number(b['util']) ? a : b));
      const row = ours.data.devices.find(({ name }) => name === busiest['disk_device'])!;
      const other = (name: string): number => Number(busiest[name]);
      expect(row.writes_per_sec).toBeGreaterThan(200);
      expectClose(row.reads_per_sec, other('r/s'), 0.06, 5);
      expectClose(row.writes_per_sec, other('w/s'), 0.06, 5);
      expectClose((row.read_bytes_per_sec ?? 0) / 1024, other('rkB/s'), 0.06, 50);
      expectClose((row.write_bytes_per_sec ?? 0) / 1024, other('wkB/s'), 0.06, 50);
      expectClose(row.read_wait_ms, other('r_await'), 0.1, 0.05);
      expectClose(row.write_wait_ms, other('w_await'), 0.1, 0.05);
      expectClose(row.avg_queue_size, other('aqu-sz'), 0.1, 0.05);
      expectClose(row.utilization, other('util'), 0.06, 2);
      expectClose((row.avg_write_bytes ?? 0) / 1024, other('wareq-sz'), 0.05, 1);
    } finally {
      rmSync(dirname(file), { recursive: true });
    }
  },
);

type Mpstat = {
  sysstat: { hosts: { statistics: { 'cpu-load': Record<string, number>[] }[] }[] };
};

const noMpstat = without('mpstat');
test.skipIf(noMpstat !== '')(
  `samples of CPU time are those of mpstat within 3 points${noMpstat}`,
  { retry: 2, timeout: 60_000 },
  async () => {
    load('sh', '-c', 'while :; do :; done');
    await delay(300);
    const params = {
      include_per_cpu: false,
      include_per_device: false,
      include_psi: false,
      interval_sec: 3,
      count: 2,
    };
    const [theirs, ours] = await Promise.all([
      json('mpstat', '-o', 'JSON', '3', '2') as Promise<Mpstat>,
      collectSnapshotSeries(context(), params, call),
    ]);
    const loads = theirs.sysstat.hosts[0]?.statistics.map((each) => each['cpu-load'][0]) ?? [];
    expect(loads.length).toBeGreaterThanOrEqual(2);
    for (const [index, sample] of ours.data.samples.entries()) {
      const names = { user: 'usr', system: 'sys', iowait: 'iowait', steal: 'steal', idle: 'idle' };
      for (const [our, their] of Object.entries(names)) {
        const { utilization }: { utilization: Record<string, number> } = Object(
          Object(sample.data).cpu,
        );
        expectClose(utilization[our], loads[index]?.[their] ?? Number.NaN, 0, 3);
      }
    }
  },
);

/** Opens connections to a server of this test until it is told to stop. */
async function traffic(): Promise<{ sockets: Socket[]; stop: () => void; port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { sockets, stop, port };
}

const noNstat = without('nstat');
test.skipIf(noNstat !== '')(
  `TCP events lie between those of nstat before and after${noNstat}`,
  { retry: 1 },
  async () => {
    type Nstat = { kernel: Record<string, number> };
    const nstat = async () => ((await json('nstat', '-as', '-j', '-z')) as Nstat).kernel;
    const { sockets, stop, port } = await traffic();
    const before = await nstat();
    const measured = collectNetHealth(
      context(),
      { duration_seconds: 1, include_tcp_details: true },
      call,
    );
    await delay(200);
    for (let each = 0; each < 30; each++) sockets.push(connect(port, '127.0.0.1'));
    // Nobody listens there: each is answered with a reset.
    for (let each = 0; each < 10; each++) connect(1, '127.0.0.1').on('error', () => {});
    const { data } = await measured;
    const after = await nstat();
    stop();
    const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
    const pairs: [number | null, string, number][] = [
      [data.tcp.active_connections, 'TcpActiveOpens', 40],
      [data.tcp.passive_connections, 'TcpPassiveOpens', 30],
      [data.tcp.in_segs, 'TcpInSegs', 100],
      [data.tcp.out_segs, 'TcpOutSegs', 100],
      [data.tcp.retransmits, 'TcpRetransSegs', 0],
      [Number(data.tcp_details?.['listen_drops']), 'TcpExtListenDrops', 0],
    ];
    for (const [ours, name, least] of pairs) {
      expect(ours).toBeGreaterThanOrEqual(least);
      expect(ours).toBeLessThanOrEqual(grown(name));
    }
    expect(data.tcp.reset_rate).toBeGreaterThanOrEqual(9);
    // Fewer than five, and the share says little, but it is the share of nstat.
    const again = grown('TcpRetransSegs');
    const share = (100 * again) / (grown('TcpOutSegs') + again);
    expectClose(data.tcp.retransmit_rate, share, 0.2, 0.5);
  },
);

const noSs = without('ss');
test.skipIf(noSs !== '')(
  `sockets are those of ss -s and ss -tan${noSs}`,
  { retry: 3 },
  async () => {
    const { sockets, stop, port } = await traffic();
    for (let each = 0; each < 15; each++) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      await new Promise((resolve) => socket.once('connect', resolve));
    }
    const params = { duration_seconds: 1, include_tcp_details: true };
    const { data } = await collectNetHealth(context(), params, call);
    const said = execFileSync('ss', ['-s'], { encoding: 'utf8' });
    const states = execFileSync('ss', ['-Htan'], { encoding: 'utf8' }).split('\n');
    stop();
    const [, total, established, time_wait] =
      /^TCP: +(\d+) \(estab (\d+), closed \d+, orphaned \d+, timewait (\d+)\)/m.exec(said) ?? [];
    const udp = /^UDP\s+(\d+)/m.exec(said)?.[1];
    expect(data.socket_summary).toMatchObject({
      tcp_total: Number(total),
      tcp_established: Number(established),
      tcp_time_wait: Number(time_wait),
      udp_total: Number(udp),
    });
    expect(data.socket_summary.tcp_established).toBeGreaterThanOrEqual(30);
    const listening = states.filter((line) => line.startsWith('LISTEN')).length;
    expect(data.tcp_details?.['states']).toMatchObject({ LISTEN: listening });
  },
);

describe('interfaces', () => {
  type Counters = { bytes: number; packets: number; errors: number; dropped: number };
  type Link = { ifname: string; stats64: { rx: Counters; tx: Counters } };
  const noIp = without('ip');

  test.skipIf(noIp !== '')(
    `carried between the two looks of ip what they carried in the window${noIp}`,
    async () => {
      const links = async () => (await json('ip', '-s', '-j', 'link')) as Link[];
      const { sockets, stop, port } = await traffic();
      const before = await links();
      const measured = collectNetHealth(
        context(),
        { duration_seconds: 1, include_tcp_details: false },
        call,
      );
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      await delay(200);
      socket.write(Buffer.alloc(200_000));
      const { data } = await measured;
      const after = await links();
      stop();
      expect(data.interfaces.map(({ name }) => name).sort()).toEqual(
        after.map(({ ifname }) => ifname).sort(),
      );
      for (const row of data.interfaces) {
        const [from, to] = [before, after].map(
          (list) => list.find(({ ifname }) => ifname === row.name)!.stats64,
        );
        expect(row.rx_bytes).toBeLessThanOrEqual(to!.rx.bytes - from!.rx.bytes);
        expect(row.tx_packets).toBeLessThanOrEqual(to!.tx.packets - from!.tx.packets);
        expect(row.rx_errors).toBeLessThanOrEqual(to!.rx.errors - from!.rx.errors);
      }
      const lo = data.interfaces.find(({ name }) => name === 'lo');
      expect(lo?.rx_bytes).toBeGreaterThanOrEqual(200_000);
    },
  );
});
