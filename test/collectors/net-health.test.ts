import { describe, expect, test } from 'vitest';
import { collectNetHealth } from '../../src/collectors/net-health.ts';
import { hostAt } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const sockets: HostFilesNow = {
  'proc/net/sockstat':
    'sockets: used 30\nTCP: inuse 5 orphan 1 tw 2 alloc 8 mem 77\nUDP: inuse 3 mem 0\n',
  'proc/net/sockstat6': 'TCP6: inuse 4\nUDP6: inuse 2\n',
  'proc/net/softnet_stat': '00000001 00000000 00000000\n00000001 00000002 00000003\n',
  'proc/net/tcp':
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000     0        0 1 1 0 0 0 0 0 0\n' +
    '   1: 0100007F:1F90 0100007F:9A98 08 00000000:00000001 00:00000000 00000000     0        0 2 1 0 0 0 0 0 0\n',
};

type Params = { interface?: string; include_tcp_details?: boolean };
const read = (before: HostFilesNow = {}, after: HostFilesNow = {}, params: Params = {}) =>
  collectNetHealth(
    scriptedContext(fakeHost(hostAt(1, { ...sockets, ...before })), [hostAt(2, after)]),
    { duration_seconds: 1, include_tcp_details: true, ...params },
    call,
  );

const dev = (rows: string): HostFilesNow => ({
  'proc/net/dev': `Inter-|   Receive                |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n${rows}`,
});

test('TCP has counts and shares of the window, not of the time since boot', async () => {
  const { data, window_ms } = await read();
  expect(window_ms).toBe(1000);
  expect(data.tcp).toMatchObject({
    active_connections: 2,
    passive_connections: 3,
    retransmits: 4,
    in_segs: 900,
    out_segs: 1000,
    retransmit_rate: 0.4,
    reset_rate: 6,
  });
});

test('sockets are counted as ss counts them, UDP too', async () => {
  const { data } = await read();
  expect(data.socket_summary).toEqual({
    tcp_total: 10,
    tcp_established: 12,
    tcp_time_wait: 2,
    tcp_orphaned: 1,
    tcp_in_use: 9,
    tcp_memory_pages: 77,
    udp_total: 5,
  });
});

test('details have events, states and queues of connections nobody accepts', async () => {
  const { data } = await read();
  expect(data.tcp_details).toMatchObject({
    listen_drops: 0,
    timeouts: 1,
    zero_window_sent: null,
    states: { LISTEN: 1, CLOSE_WAIT: 1 },
    accept_queues: [{ local: '127.0.0.1:8080', waiting_for_accept: 5 }],
  });
  const without = await read({}, {}, { include_tcp_details: false });
  expect(without.data).not.toHaveProperty('tcp_details');
});

describe('interfaces', () => {
  test('are those of the name, or else those that begin so', async () => {
    const names = async (name: string) =>
      (await read({}, {}, { interface: name })).data.interfaces.map((row) => row.name);
    expect(await names('eth0')).toEqual(['eth0']);
    expect(await names('br-')).toEqual(['br-5f.100']);
    await expect(names('wlan')).rejects.toMatchObject({
      code: 'DEVICE_NOT_FOUND',
      suggestion: 'Choose from: eth0, br-5f.100, lo.',
    });
  });

  test('tell their speed where they have one, and null where the driver says -1', async () => {
    const { data, unavailable } = await read({
      'sys/class/net/eth0/speed': '10000\n',
      'sys/class/net/eth0/duplex': 'full\n',
      'sys/class/net/eth0/operstate': 'up\n',
      'sys/class/net/lo/speed': '-1\n',
      'sys/class/net/lo/duplex': 'unknown\n',
    });
    const of = (name: string) => data.interfaces.find((row) => row.name === name);
    expect(of('eth0')).toMatchObject({ speed_mbps: 10_000, duplex: 'full', operstate: 'up' });
    expect(of('lo')).toMatchObject({ speed_mbps: null, duplex: null });
    expect(unavailable?.find(({ what }) => what === 'speed_mbps, duplex')?.reason).toContain('lo');
  });

  test('with losses come first, though others carry more', async () => {
    const rows = (n: number) =>
      ` big: ${n * 90_000} 9 0 0 ${n * 90_000} 9 0 0\nbad: ${n} 1 0 ${n * 3} ${n} 1 0 0\n`;
    const { data } = await read(dev(rows(1)), dev(rows(2)));
    expect(data.interfaces.map(({ name }) => name)).toEqual(['bad', 'big']);
  });
});

describe('issues', () => {
  test('are none on a host that loses nothing now, whatever it lost before', async () => {
    const { data, summary } = await read();
    expect(data.issues).toEqual([]);
    expect(summary[0]).toContain('No losses');
  });

  test('name drops and errors with their numbers', async () => {
    const { data } = await read(dev(' eth0: 1 1 0 0 1 1 0 0\n'), dev(' eth0: 9 9 2 7 9 9 0 1\n'));
    expect(data.issues).toEqual([
      'eth0 dropped 7 received and 1 sent packets in 1000 ms.',
      'eth0 had 2 receive and 0 send errors.',
    ]);
  });

  test('name a path that loses packets, and a program that accepts late', async () => {
    const moment = (n: number): HostFilesNow => ({
      'proc/net/snmp': `Tcp: InSegs OutSegs RetransSegs CurrEstab OutRsts\nTcp: 0 ${n * 970} ${n * 30} 1 0\n`,
      'proc/net/netstat': `TcpExt: ListenOverflows ListenDrops SyncookiesSent\nTcpExt: ${n * 8} ${n * 8} ${n}\n`,
    });
    const { data } = await read(moment(1), moment(2));
    expect(data.tcp.retransmit_rate).toBe(3);
    expect(data.issues.join('\n')).toMatch(/3 % of TCP segments were sent again \(30\): the path/);
    expect(data.issues.join('\n')).toMatch(/8 connections met a full accept queue/);
    expect(data.issues.join('\n')).toMatch(/1 SYN cookies/);
  });

  test('name a backlog and a connection table that are full', async () => {
    const conntrack = {
      'proc/sys/net/netfilter/nf_conntrack_count': '95\n',
      'proc/sys/net/netfilter/nf_conntrack_max': '100\n',
    };
    const { data } = await read(conntrack, {
      'proc/net/softnet_stat': '00000001 00000000 00000000\n00000001 0000000c 00000003\n',
    });
    expect(data.stack).toMatchObject({
      softnet_dropped: 10,
      conntrack: { count: 95, max: 100, used_pct: 95 },
    });
    expect(data.issues.join('\n')).toContain('10 packets met a full backlog');
    expect(data.issues.join('\n')).toContain('95 % full');
  });
});

test('on a path that loses everything all that is sent is sent again', async () => {
  const moment = (again: number): HostFilesNow => ({
    'proc/net/snmp': `Tcp: InSegs OutSegs RetransSegs\nTcp: 5 5 ${again}\n`,
  });
  const { data, unavailable, summary } = await read(moment(0), moment(8));
  expect(data.tcp.retransmit_rate).toBe(100);
  expect(unavailable?.map(({ what }) => what)).not.toContain('tcp.retransmit_rate');
  expect(data.issues.join('\n')).toContain('100 % of TCP segments were sent again (8)');
  expect(summary.at(-1)).toContain('100 % sent again');
});

describe('what is closed is null, with its reason', () => {
  test('a CPU that came online brings no packets of before into the window', async () => {
    const { data, unavailable, issues } = await read(
      {},
      {
        'proc/net/softnet_stat':
          '00000001 00000000 00000000\n00000001 00000002 00000003\n00000001 00000900 00000300\n',
      },
    ).then((reading) => ({ ...reading, issues: reading.data.issues }));
    expect(data.stack).toMatchObject({ softnet_dropped: null, softnet_time_squeezed: null });
    expect(issues.join()).not.toContain('backlog');
    expect(unavailable?.map(({ what }) => what)).toContain('stack.softnet_*');
  });

  test('without the counters of TCP nothing is said of what was sent', async () => {
    const { summary } = await read({ 'proc/net/snmp': null }, { 'proc/net/snmp': null });
    expect(summary.at(-1)).toMatch(/^TCP: segments unknown;/);
  });

  test('an interface that came during the window is not among those without losses', async () => {
    const before = dev(' eth0: 1 1 0 0 1 1 0 0\n');
    const after = dev(' eth0: 1 1 0 0 1 1 0 0\n veth1: 9 9 5 5 9 9 0 0\n');
    const { summary, unavailable } = await read(before, after);
    expect(summary[0]).toBe('No losses on 1 of 2 interfaces in 1000 ms.');
    expect(unavailable?.find(({ what }) => what === 'rx_*, tx_*')?.reason).toMatch(/^veth1 came/);
  });

  test('where no segment was sent there is no share', async () => {
    const snmp = { 'proc/net/snmp': 'Tcp: OutSegs RetransSegs\nTcp: 1000 4\n' };
    const { data, unavailable } = await read(snmp, snmp);
    expect(data.tcp.retransmit_rate).toBeNull();
    expect(unavailable?.find(({ what }) => what === 'tcp.retransmit_rate')?.reason).toContain(
      'No segment',
    );
  });

  test('where the socket tables are closed or too long their states are not known', async () => {
    const closed = await read({ 'proc/net/tcp': null });
    expect(closed.data.tcp_details).toMatchObject({ states: null, accept_queues: null });
    expect(closed.unavailable?.map(({ what }) => what).join()).toContain('tcp_details.states');
    const long = await read({
      'proc/net/sockstat': 'TCP: inuse 900000 orphan 0 tw 2 alloc 8 mem 7\n',
    });
    expect(long.data.tcp_details).toMatchObject({ states: null });
    expect(long.data.socket_summary.tcp_in_use).toBe(900_004);
  });

  test('without sockstat the totals are null, not nought', async () => {
    const { data } = await read({ 'proc/net/sockstat': null, 'proc/net/sockstat6': null });
    expect(data.socket_summary).toMatchObject({
      tcp_total: null,
      tcp_time_wait: null,
      udp_total: null,
      tcp_established: 12,
    });
  });

  test('without /proc/net/dev there is nothing to tell', async () => {
    await expect(read({ 'proc/net/dev': null }, { 'proc/net/dev': null })).rejects.toMatchObject({
      code: 'FEATURE_UNAVAILABLE',
    });
  });
});
