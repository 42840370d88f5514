import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { collectFdTrace, type FdTraceParams } from '../../src/collectors/fd-trace.ts';
import { createContext } from '../../src/context.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';

const limits = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} 4096                 files     \n`;

const made: FakeProc[] = [];
afterEach(() => {
  for (const each of made.splice(0)) each.dispose();
});

/** A process 7 whose descriptors the test opens and closes. */
function process7() {
  const proc = fakeProc();
  made.push(proc);
  proc.write({ pid: 7, comm: 'server' });
  fakeHost({ 'proc/7/limits': limits('200') }, proc.root);
  const folder = proc.path('7/fd');
  mkdirSync(folder);
  let next = 0;
  return {
    proc,
    root: proc.root,
    open: (target: string, count = 1) => {
      for (let each = 0; each < count; each++) symlinkSync(target, join(folder, String(next++)));
    },
    close: (fd: number) => rmSync(join(folder, String(fd))),
  };
}

const defaults: FdTraceParams = {
  pid: 7,
  duration_seconds: 5,
  interval_sec: 1,
  include_fd_list: true,
  max_fds_listed: 100,
};

/** What happens during each of the waits. */
function trace(root: string, steps: readonly (() => void)[], params: Partial<FdTraceParams> = {}) {
  const coming = [...steps];
  const ctx = scriptedContext(root);
  const sleep: typeof ctx.sleep = async (ms, signal) => {
    await ctx.sleep(ms, signal);
    coming.shift()?.();
  };
  return collectFdTrace({ ...ctx, sleep }, { ...defaults, ...params }, call);
}

const tcp = (rows: string) =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${rows}`;

test('the window is the time between the first look and the last, however late that came', async () => {
  const it = process7();
  it.open('/dev/null', 3);
  const ctx = scriptedContext(it.root);
  const sleep: typeof ctx.sleep = async (ms, signal) => {
    await ctx.sleep(ms, signal);
    ctx.pass(500);
  };
  const { data, window_ms } = await collectFdTrace({ ...ctx, sleep }, defaults, call);
  expect(window_ms).toBe(5500);
  expect(data.duration_seconds).toBe(5.5);
});

describe('descriptors', () => {
  test('are counted by type, with the limits and how much of them is used', async () => {
    const it = process7();
    it.open('/dev/null');
    it.open('/var/log/app.log (deleted)');
    it.open('socket:[5]');
    it.open('anon_inode:[eventpoll]');
    it.open('pipe:[9]', 16);
    const { data } = await trace(it.root, []);
    expect(data.process_name).toBe('server');
    expect(data.current).toEqual({
      total_fds: 20,
      soft_limit: 200,
      hard_limit: 4096,
      usage_percent: 10,
      by_type: { device: 1, file: 1, socket: 1, epoll: 1, pipe: 16 },
    });
    expect(data.samples).toHaveLength(6);
    expect(data.fd_list?.slice(0, 2)).toEqual([
      { fd: 0, type: 'device', target: '/dev/null' },
      { fd: 1, type: 'file', target: '/var/log/app.log (deleted)' },
    ]);
  });

  test('are looked at every interval, and at the end', async () => {
    const it = process7();
    const count = async (duration_seconds: number, interval_sec: number) =>
      (await trace(it.root, [], { duration_seconds, interval_sec })).data.samples.length;
    expect(await count(10, 2)).toBe(6);
    expect(await count(5, 2)).toBe(4);
    expect(await count(1, 10)).toBe(2);
  });

  test('that are sockets name their peers', async () => {
    const it = process7();
    it.open('socket:[48213]');
    fakeHost(
      {
        'proc/7/net/tcp': tcp(
          '   0: 0100007F:1F90 0A00000A:01BB 08 00000000:00000000 00:00000000 00000000     0        0 48213 1 0 0 0 0 0 0\n',
        ),
      },
      it.root,
    );
    const { data } = await trace(it.root, []);
    expect(data.fd_list?.[0]?.target).toBe(
      'socket:[48213] tcp 127.0.0.1:8080 to 10.0.0.10:443 CLOSE_WAIT',
    );
  });

  test('are listed up to the number asked for, or not at all', async () => {
    const it = process7();
    it.open('/dev/null', 30);
    const reading = await trace(it.root, [], { max_fds_listed: 10 });
    expect(reading.data.fd_list).toHaveLength(10);
    expect(reading).toMatchObject({ truncated: true, total: 30 });
    const without = await trace(it.root, [], { include_fd_list: false });
    expect(without.data).not.toHaveProperty('fd_list');
  });

  test('of a process that has thousands fit into the answer', async () => {
    const it = process7();
    it.open(`/srv/${'long-name-'.repeat(12)}`, 3000);
    const reading = await trace(it.root, [], { max_fds_listed: 1000, duration_seconds: 20 });
    expect(JSON.stringify(reading).length).toBeLessThan(36_000);
    expect(reading.data.current).toMatchObject({ total_fds: 3000, by_type: { file: 3000 } });
    // Between its ends a trace follows fewer links, and says of how many it knows no type.
    expect(reading.data.samples[1]).toMatchObject({
      total_fds: 3000,
      by_type: { file: 1000, unclassified: 2000 },
    });
  });

  test('with hostile targets stay one line of plain text', async () => {
    const it = process7();
    it.open('/tmp/\u001b[31mred\nroot:x:0');
    const { data } = await trace(it.root, []);
    expect(data.fd_list?.[0]?.target).toBe('/tmp/ [31mred root:x:0');
  });
});

describe('a leak', () => {
  test('is named with its rate, what it opens and the time that is left', async () => {
    const it = process7();
    it.open('/dev/null', 3);
    const leak = () => it.open('/var/lib/app/cache', 12);
    const { data, summary } = await trace(it.root, [leak, leak, leak, leak, leak]);
    expect(data.leak_detection).toMatchObject({
      is_likely_leak: true,
      fd_change: 60,
      fd_growth_rate: 12,
      growth_by_type: { file: 60 },
      new_descriptors: [
        { type: 'file', where: '/var/lib/app/', count: 60, example: '/var/lib/app/cache' },
      ],
      time_to_exhaustion_seconds: 11,
    });
    expect(summary.join('\n')).toContain('60 of the new ones: file, /var/lib/app/');
  });

  test('is not a process that closes what it opens', async () => {
    const it = process7();
    it.open('/dev/null', 3);
    const { data } = await trace(it.root, [
      () => it.open('/tmp/a', 30),
      () => Array.from({ length: 30 }, (_, at) => it.close(3 + at)),
    ]);
    expect(data.leak_detection).toMatchObject({ is_likely_leak: false, fd_change: 0 });
    expect(data.leak_detection.time_to_exhaustion_seconds).toBeNull();
  });

  test('cannot be told from two samples', async () => {
    const it = process7();
    const params = { duration_seconds: 1 };
    const { data } = await trace(it.root, [() => it.open('/tmp/a', 90)], params);
    expect(data.leak_detection).toMatchObject({ is_likely_leak: null, fd_change: 90 });
  });

  test('is counted in descriptors replaced by others, too', async () => {
    const it = process7();
    it.open('/tmp/a');
    const { data } = await trace(it.root, [
      () => {
        it.close(0);
        symlinkSync('/srv/b', it.proc.path('7/fd/0'));
      },
    ]);
    expect(data.leak_detection).toMatchObject({
      fd_change: 0,
      new_descriptors: [{ where: '/srv/', count: 1 }],
    });
  });
});

describe('a process', () => {
  test('that is not there is PID_NOT_FOUND', async () => {
    await expect(trace(process7().root, [], { pid: 8 })).rejects.toMatchObject({
      code: 'PID_NOT_FOUND',
    });
  });

  test('that ends meanwhile did not clean up: its figures end with it', async () => {
    const it = process7();
    it.open('/dev/null', 9);
    const { data } = await trace(it.root, [() => it.open('/a/b', 4), () => it.proc.remove(7)]);
    expect(data.samples.map(({ total_fds }) => total_fds)).toEqual([9, 13]);
    expect(data.duration_seconds).toBe(1);
    expect(data.notes.join()).toContain('ended while it was watched');
  });

  test('with the pid of one that ended is another one', async () => {
    const it = process7();
    it.open('/dev/null', 9);
    const { data } = await trace(it.root, [
      () => it.proc.write({ pid: 7, comm: 'other', starttime_ticks: 9999 }),
    ]);
    expect(data.samples).toHaveLength(1);
    expect(data.notes.join()).toContain('ended');
  });

  test('without a limit uses no share of it', async () => {
    const it = process7();
    it.open('/dev/null');
    fakeHost({ 'proc/7/limits': limits('unlimited') }, it.root);
    const { data, unavailable } = await trace(it.root, []);
    expect(data.current).toMatchObject({ soft_limit: null, usage_percent: null });
    expect(unavailable?.find(({ what }) => what === 'current.usage_percent')).toBeDefined();
  });

  test('near its limit is warned of', async () => {
    const it = process7();
    it.open('pipe:[1]', 190);
    const { data } = await trace(it.root, []);
    expect(data.notes).toEqual(['95 % of the soft limit of 200 is used.', '190 are pipes.']);
  });
});

describe.skipIf(!mayBecomeNobody)(
  `descriptors of others${mayBecomeNobody ? '' : ' (skipped: needs root)'}`,
  () => {
    test('are CAPABILITY_MISSING, never "stable"', async () => {
      const ctx = createContext({ daemon: false, readOnly: false });
      const { pid = 0 } = spawn('sleep', ['60']);
      becomeNobody();
      try {
        await expect(
          collectFdTrace(ctx, { ...defaults, pid, duration_seconds: 1 }, call),
        ).rejects.toMatchObject({
          code: 'CAPABILITY_MISSING',
          suggestion: expect.stringContaining('root'),
        });
      } finally {
        becomeRoot();
        process.kill(pid);
      }
    });
  },
);
