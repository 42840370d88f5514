import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { parseGethostlatencyTable } from '../../parsers/gethostlatency/gethostlatency.ts';
import { collectDnsLatency } from '../../src/collectors/dns-latency.ts';
import { collectTcpTrace } from '../../src/collectors/tcp-trace.ts';
import { createContext } from '../../src/context.ts';
import { callThatActs, endLoads, type Load, load, noTracing } from './traced-load.ts';

const run = promisify(execFile);
const ctx = createContext({ daemon: false, readOnly: false });
const python = '/usr/bin/python3';
// A busy host takes seconds until bpftrace watches.
vi.setConfig({ testTimeout: 60_000 });
afterEach(endLoads);

/** Why no namespace of these kinds can be made here; empty where it can. */
function noNamespace(...kinds: readonly string[]): string {
  if (noTracing !== '') return noTracing;
  try {
    execFileSync('unshare', [...kinds, 'true'], { stdio: 'ignore' });
    return '';
  } catch {
    return ' (needs namespaces)';
  }
}

const noNetwork = existsSync('/usr/bin/ss') ? noNamespace('--net') : ' (needs iproute2)';

/** TCP to itself in a network of its own. */
const connections = (): Promise<Load> => {
  const start = 'ip link set lo up; exec "$@"';
  const program = [python, 'test/live/programs/connections.py'];
  return load('unshare', '--net', 'sh', '-c', start, 'sh', ...program);
};

describe.skipIf(noNetwork !== '')(`TCP connections${noNetwork}`, () => {
  test('5000 bytes sent and 3000 received are told as ss tells them', async () => {
    const { pid, go, said } = await connections();
    const query = { duration_seconds: 4, pid, mode: 'lifecycle' } as const;
    const { data } = await collectTcpTrace(ctx, query, callThatActs(go));
    expect(data.method).toBe('bpftrace');
    const [, port] = /port (\d+)/.exec(said()) ?? [];
    const ss = (name: string): number =>
      Number(new RegExp(`${name}:(\\d+)`).exec(said())?.[1] ?? Number.NaN);
    // Both ends are here: the one that connected, and the one that accepted.
    const out = data.connections?.find(({ local_port }) => local_port === Number(port));
    const accepted = data.connections?.find(({ remote_port }) => remote_port === Number(port));
    expect(out).toMatchObject({ direction: 'out', comm: 'python3', pid, state: 'closed' });
    // After ss has looked, only FIN goes out and comes in, which count as a byte each.
    expect(out?.tx_bytes).toBe(ss('bytes_acked') + 1);
    expect(out?.rx_bytes).toBe(ss('bytes_received') + 1);
    expect(out?.tx_bytes).toBe(5002);
    expect(out?.rx_bytes).toBe(3001);
    expect(accepted).toMatchObject({ direction: 'in', tx_bytes: 3001, rx_bytes: 5001 });
    // It waits 200 ms before it closes; a connect to itself takes far less.
    expect(out?.duration_ms).toBeGreaterThan(200);
    expect(out?.duration_ms).toBeLessThan(2000);
    expect(out?.latency_us).toBeLessThan(50_000);
    expect(out?.retransmits).toBe(0);
    // ss tells the smoothed round trip in ms; the kernel changes it with each packet.
    const rtt_us = Number(/ rtt:([\d.]+)/.exec(said())?.[1]) * 1000;
    expect(out?.rtt_us).toBeGreaterThan(rtt_us * 0.3);
    expect(out?.rtt_us).toBeLessThan(rtt_us * 3 + 100);
  });

  test('a refused connect failed, and one that nobody answers is under way', async () => {
    const { pid, go, said } = await connections();
    const query = { duration_seconds: 5, pid, mode: 'connections' } as const;
    const { data } = await collectTcpTrace(ctx, query, callThatActs(go));
    const silent = Number(/silent (\d+)/.exec(said())?.[1]);
    const { summary } = data;
    expect(summary).toMatchObject({ failed_connects: 1, still_connecting: 1 });
    const at = (port: number) => data.connections?.find((each) => each.remote_port === port);
    expect(at(1)).toMatchObject({ state: 'failed', comm: 'python3', tx_bytes: null });
    expect(at(silent)).toMatchObject({ state: 'connecting', latency_us: null });
    // The first SYN is sent again after a second, the next one after two more.
    expect(summary?.retransmitted_segments).toBeGreaterThanOrEqual(1);
  });
});

const noLookups = noNamespace('--mount', '--net');

/** A program that asks its own name server, in a network and with a resolv.conf of its own. */
function lookups(room: string): Promise<Load> {
  writeFileSync(join(room, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:9 attempts:1\n');
  writeFileSync(join(room, 'nsswitch.conf'), 'hosts: dns\n');
  const start = [
    'ip link set lo up',
    `mount --bind ${room}/resolv.conf /etc/resolv.conf`,
    `mount --bind ${room}/nsswitch.conf /etc/nsswitch.conf`,
    'exec "$@"',
  ].join(' && ');
  const inside = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', start, 'sh'];
  return load('unshare', ...inside, python, 'test/live/programs/lookups.py');
}

describe.skipIf(noLookups !== '')(`lookups of names${noLookups}`, () => {
  const room = mkdtempSync(join(tmpdir(), 'tracewright-dns-'));
  afterAll(() => rmSync(room, { recursive: true }));

  test('a name server that takes 300 ms, and one that does not answer', { retry: 2 }, async () => {
    const { pid, go } = await lookups(room);
    const query = { duration_seconds: 5, pid };
    const { data, summary } = await collectDnsLatency(ctx, query, callThatActs(go));
    expect(data.method).toBe('bpftrace');
    expect(data.summary).toMatchObject({ total_queries: 5, failed_queries: 5 });
    for (const { host, latency_ms, result, comm } of data.queries ?? []) {
      expect(host).toMatch(/^slow-\d\.example\.com\.$/);
      expect(comm).toBe('python3');
      expect(result).toBe('name not known');
      expect(latency_ms).toBeGreaterThanOrEqual(300);
      // The rest is for a machine that is busy with other tests.
      expect(latency_ms).toBeLessThan(400);
    }
    expect(data.unanswered).toEqual([
      expect.objectContaining({ pid, comm: 'python3', host: 'silent.example.com.' }),
    ]);
    // Five times 300 ms of the five seconds have gone before.
    expect(data.unanswered?.[0]?.waited_ms).toBeGreaterThan(2500);
    expect(data.unanswered?.[0]?.waited_ms).toBeLessThan(3600);
    expect(summary.join(' ')).toContain('1 lookups still wait');
  });

  const noTool = existsSync('/usr/sbin/gethostlatency') ? '' : ' (needs libbpf-tools)';
  test.skipIf(noTool !== '')(
    `the times of gethostlatency of libbpf-tools${noTool}`,
    { retry: 2 },
    async () => {
      const { pid, go } = await lookups(room);
      // It has no end of its own, and 124 is how timeout says that it made it end.
      const theirs = run('timeout', [
        '-s',
        'INT',
        '8',
        '/usr/sbin/gethostlatency',
        '-p',
        String(pid),
      ]).catch((ended: { stdout?: string }) => ({ stdout: ended.stdout ?? '' }));
      const act = (): void => void setTimeout(go, 1500);
      const { data } = await collectDnsLatency(
        ctx,
        { duration_seconds: 5, pid },
        callThatActs(act),
      );
      const rows = parseGethostlatencyTable((await theirs).stdout);
      for (const { host, latency_ms } of data.queries ?? []) {
        const same = rows.find((row) => row.host === host);
        expect(same).toBeTruthy();
        // Two probes on one function: the second one to be called sees the first one's time, too.
        expect(Math.abs(latency_ms - (same?.took_ns ?? 0) / 1e6)).toBeLessThan(5);
      }
      expect(data.queries).toHaveLength(5);
    },
  );
});
