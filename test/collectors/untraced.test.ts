import { describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../src/analysis/tcp-connections.ts';
import { busyPercent } from '../../src/collectors/cpu-profile.ts';
import { collectFileTrace } from '../../src/collectors/file-trace.ts';
import { tcpTotals, topConnections } from '../../src/collectors/tcp-trace.ts';
import { vfsWords } from '../../src/collectors/vfs-latency.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';

const connection = (parts: Partial<TcpConnection>): TcpConnection => ({
  pid: 7,
  comm: 'client',
  direction: 'out',
  local_addr: '10.0.0.1',
  local_port: 40_000,
  remote_addr: '10.0.0.2',
  remote_port: 443,
  connect_ns: null,
  duration_ns: null,
  bytes: null,
  state: 'open',
  at_ns: 1,
  ...parts,
});

describe('what no tracer saw is no figure', () => {
  test('files that were not traced have no window and no count of lost events', async () => {
    const ctx = scriptedContext(
      fakeHost({ 'proc/stat': '' }),
      [],
      fakePrograms(() => null),
    );
    const query = { duration_seconds: 1, min_latency_ms: 1, include_all_files: false } as const;
    const reading = await collectFileTrace(ctx, { ...query, mode: 'all' }, call);
    expect(reading.data.method).toBeNull();
    expect(reading).not.toHaveProperty('window_ms');
    expect(reading).not.toHaveProperty('lost_events');
    expect(reading.source).toBe('nothing');
  });

  test('connections that have not ended carried an unknown number of bytes', () => {
    expect(tcpTotals([connection({})])).toMatchObject({ total_tx_kb: null, total_rx_kb: null });
    const bytes = { acked: 2048, received: 1024, retransmits: 0, srtt_us: 1 };
    expect(tcpTotals([connection({}), connection({ bytes })])).toMatchObject({ total_tx_kb: 2 });
    expect(tcpTotals([])).toMatchObject({ total_tx_kb: 0 });
  });

  test('a connection that nobody answered is none of the slowest, nor of the fastest', () => {
    const rows = [connection({ state: 'connecting' }), connection({ connect_ns: 9_000_000 })];
    expect(topConnections(rows, 'connections')).toMatchObject([
      { metric: 9000, metric_type: 'latency_us' },
    ]);
    expect(topConnections(rows, 'lifecycle')).toEqual([]);
  });

  test('no operation on a file takes no time, not 0 us', () => {
    const none = { buckets: [], count: 0, total_ns: null, max_ns: null };
    const output = {
      all: none,
      operations: { read: none, write: none, sync: none },
      slow: [],
      health: { window_ns: 1e9, lost_events: 0, refused_updates: 0, longest_map: 0 },
    };
    expect(vfsWords(output, [], 10, 1000)[0]).toBe(
      '0 reads, writes and syncs of files in 1000 ms.',
    );
  });

  test('samples without the kernel do not tell how busy the CPUs are', () => {
    const ctx = scriptedContext(fakeHost({ 'sys/devices/system/cpu/online': '0-1\n' }));
    const figures = { samples: 99, rate_hz: 99, window_ms: 1000 };
    expect(busyPercent(ctx, { ...figures, user_only: false })).toBe(50);
    expect(busyPercent(ctx, { ...figures, user_only: true })).toBeNull();
  });
});
