import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { keepRunning, run } from '../lib/program.ts';
import { type Server, startServer } from '../lib/server.ts';
import { callTool } from '../lib/tool.ts';
import { until } from '../lib/until.ts';

const figure = z.number().nullable();
const Triage = z.looseObject({
  root_causes: z.array(z.looseObject({ id: z.string(), title: z.string(), confidence: figure })),
  all_findings: z.array(z.looseObject({ id: z.string(), title: z.string() })),
});
const BioLatency = z.looseObject({
  method: z.string().nullable(),
  summary: z.looseObject({ total_ios: z.number(), avg_latency_us: figure, max_latency_us: figure }),
  histogram: z.array(
    z.looseObject({ range_start_us: z.number(), range_end_us: z.number(), count: z.number() }),
  ),
});
const IoLatency = z.looseObject({
  devices: z.array(z.looseObject({ name: z.string(), utilization: figure, avg_wait_ms: figure })),
});
const NetHealth = z.looseObject({ tcp: z.looseObject({ retransmit_rate: figure }) });
const TcpTrace = z.looseObject({
  method: z.string().nullable(),
  connections: z.array(
    z.looseObject({
      direction: z.string().nullable(),
      tx_bytes: figure,
      rtt_us: figure,
      retransmits: figure,
    }),
  ),
});

/** Loads a module of /lab/modules; false where this kernel has none of that name. */
function loadModule(name: string, ...parameters: readonly string[]): boolean {
  const file = readdirSync('/lab/modules').find((each) => each.startsWith(`${name}.ko`));
  if (file === undefined) return false;
  execFileSync('insmod', [`/lab/modules/${file}`, ...parameters]);
  return true;
}

const root = '/sys/fs/cgroup';

describe('a host in trouble', { timeout: 600_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const triage = async (mode = 'quick') => {
    const { data } = await callTool(server, 'perf_triage', { mode }, Triage);
    console.log(`causes: ${JSON.stringify(data.root_causes.map(({ id, title }) => [id, title]))}`);
    console.log(`findings: ${JSON.stringify(data.all_findings.map(({ title }) => title))}`);
    return data.root_causes;
  };

  test('nothing at all is no cause', async () => {
    await pause(3000);
    assert.deepEqual(await triage(), []);
  });

  test('a disk of which each request takes 20 ms', async (context) => {
    loadModule('configfs');
    // Each request is completed by a timer.
    const slow = ['nr_devices=1', 'gb=1', 'queue_mode=2', 'irqmode=2', 'completion_nsec=20000000'];
    if (!loadModule('null_blk', ...slow)) return context.skip('the kernel has no null_blk');
    const reader = keepRunning('dd', 'if=/dev/nullb0', 'of=/dev/null', 'bs=4k', 'iflag=direct');
    try {
      await pause(1000);
      const query = { device: 'nullb0', duration_seconds: 5 };
      const { data: traced } = await callTool(server, 'perf_bio_latency', query, BioLatency);
      const { data: counted } = await callTool(server, 'perf_io_latency', query, IoLatency);
      const [first] = await triage();
      const { total_ios, avg_latency_us } = traced.summary;
      console.log(`20 ms: ${JSON.stringify(traced.summary)}, ${JSON.stringify(counted.devices)}`);
      assert.equal(traced.method, 'bpftrace');
      // One after the other: 50 a second at most, fewer where the emulator is slow.
      assert.ok(total_ios > 150 && total_ios <= 252, `${total_ios} requests in 5 s`);
      assert.ok((avg_latency_us ?? 0) >= 20_000 && (avg_latency_us ?? 0) < 26_000);
      const inRange = traced.histogram.find(
        ({ range_start_us, range_end_us }) => range_start_us <= 20_000 && range_end_us >= 20_000,
      );
      assert.ok((inRange?.count ?? 0) > total_ios * 0.9);
      const [device] = counted.devices;
      assert.equal(device?.name, 'nullb0');
      assert.ok((device?.avg_wait_ms ?? 0) > 19 && (device?.avg_wait_ms ?? 0) < 26);
      assert.ok((device?.utilization ?? 0) > 90);
      assert.equal(first?.id, 'disk_saturation');
    } finally {
      await reader.stop();
      await run('rmmod', 'null_blk');
    }
  });

  test('a network that loses a tenth of the packets', async (context) => {
    if (!loadModule('sch_netem')) return context.skip('the kernel has no sch_netem');
    await run('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '20ms', 'loss', '10%');
    const sender = keepRunning('python3', '-c', sendsAndCloses);
    try {
      await pause(2000);
      const query = { duration_seconds: 8 };
      const { data: health } = await callTool(server, 'perf_net_health', query, NetHealth);
      const { data: trace } = await callTool(server, 'perf_tcp_trace', query, TcpTrace);
      const [first] = await triage();
      const out = trace.connections.filter(({ direction }) => direction === 'out');
      console.log(`10 % lost: ${health.tcp.retransmit_rate} %, ${JSON.stringify(out.slice(0, 5))}`);
      // Of all segments: data that is lost is sent again, lost acknowledgements mostly are not.
      assert.ok((health.tcp.retransmit_rate ?? 0) > 2 && (health.tcp.retransmit_rate ?? 0) < 25);
      assert.ok(out.length >= 2);
      // SYN and FIN count as a byte each.
      for (const { tx_bytes } of out) assert.equal(tx_bytes, 100_002);
      // There and back it is 40 ms; a late acknowledgement adds to that of single connections.
      const trips = out.map(({ rtt_us }) => rtt_us ?? 0).sort((a, b) => a - b);
      const median = trips[Math.floor(trips.length / 2)] ?? 0;
      console.log(`round trips: ${trips.join(' ')}`);
      assert.ok((trips[0] ?? 0) > 38_000);
      assert.ok(median < 60_000);
      const again = out.reduce((sum, { retransmits }) => sum + (retransmits ?? 0), 0);
      assert.ok(again > 0);
      assert.equal(first?.id, 'network_loss');
    } finally {
      await sender.stop();
      await run('tc', 'qdisc', 'del', 'dev', 'lo', 'root');
    }
  });

  describe('a cgroup', () => {
    const group = `${root}/lab-host`;
    const enter = (command: string) =>
      keepRunning('sh', '-c', `echo $$ > ${group}/cgroup.procs; ${command}`);
    before(() => {
      writeFileSync(`${root}/cgroup.subtree_control`, '+cpu +memory');
      mkdirSync(group);
    });
    after(() => until(() => emptied(group), Boolean, 60_000));

    test('that may use a tenth of a CPU', async () => {
      writeFileSync(`${group}/cpu.max`, '10000 100000');
      const loop = enter('while :; do :; done');
      try {
        await pause(1500);
        const [first] = await triage();
        assert.equal(first?.id, 'cgroup_cpu_limit');
        assert.match(first?.title ?? '', /lab-host/);
      } finally {
        await loop.stop();
        writeFileSync(`${group}/cpu.max`, 'max 100000');
      }
    });

    test('whose memory does not hold the file that it reads', async () => {
      writeFileSync(`${group}/memory.max`, '32000000');
      const file = '/var/tmp/lab-host';
      // From outside, and out of the cache: the kernel kills who writes faster than the disk takes it.
      await run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', 'count=100', 'conv=fsync');
      writeFileSync('/proc/sys/vm/drop_caches', '1');
      const readers = enter(`while :; do cat ${file} > /dev/null; done`);
      try {
        await pause(15_000);
        const [first] = await triage();
        assert.ok(['memory_pressure', 'cache_thrashing'].includes(first?.id ?? ''));
      } finally {
        await readers.stop();
        rmSync(file, { force: true });
      }
    });
  });
});

function emptied(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

/** Connections to itself, of 100,000 bytes each, four at a time. */
const sendsAndCloses = `
import socket, threading
server = socket.create_server(('127.0.0.1', 0), backlog=50)
def serve():
  while True:
    end, _ = server.accept()
    def take(end=end):
      while end.recv(65536): pass
      end.close()
    threading.Thread(target=take, daemon=True).start()
def send():
  while True:
    end = socket.create_connection(server.getsockname())
    end.sendall(b'x' * 100000)
    end.shutdown(socket.SHUT_WR)
    while end.recv(1): pass
    end.close()
threading.Thread(target=serve, daemon=True).start()
for _ in range(3): threading.Thread(target=send, daemon=True).start()
send()`;
