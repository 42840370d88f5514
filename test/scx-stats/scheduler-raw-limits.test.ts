import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { readResource } from '../../src/resources/read.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { call, fakeHost } from '../fake-host.ts';
import { type FakeScheduler, fakeScheduler } from './fake-server.ts';

const uri = 'stats://scheduler/raw';
const running: FakeScheduler[] = [];
afterEach(async () => {
  for (const scheduler of running.splice(0)) await scheduler.stop();
});

type Json = Readonly<Record<string, unknown>>;

const enabled = {
  'sys/kernel/sched_ext/state': 'enabled\n',
  'sys/kernel/sched_ext/root/ops': 'layered_1.1.4_x86_64_unknown_linux_gnu\n',
};
const disabled = { 'sys/kernel/sched_ext/state': 'disabled\n' };

const socketOf = (root: string): string => join(root, 'var/run/scx/root/stats');

async function serve(root: string): Promise<FakeScheduler> {
  const scheduler = await fakeScheduler(socketOf(root));
  running.push(scheduler);
  return scheduler;
}

async function read(root: string, query = '', signal = call.signal): Promise<Json> {
  const ctx = createContext({ daemon: false, readOnly: false }, root);
  const answer = await readResource(`${uri}${query}`, ctx, { ...call, signal });
  return { ...answer };
}

async function absence(root: string, query = ''): Promise<Json> {
  const { stats, kind, unavailable } = await read(root, query);
  expect({ stats, kind }).toEqual({ stats: null, kind: null });
  expect(unavailable).toHaveLength(1);
  return (unavailable as Json[])[0] ?? {};
}

describe('a host without statistics says why', () => {
  test.each([
    ['no sched_ext in the kernel', {}, /^This kernel has no sched_ext/, null],
    [
      'no scheduler',
      disabled,
      /^No sched_ext scheduler is loaded: there is no \//,
      'sudo scx_bpfland',
    ],
    [
      'a scheduler without scx_stats',
      enabled,
      /^The loaded scheduler "layered_1\.1\.4_.*" serves no statistics here/,
      'Start the server with --stats-socket-path and the path of its socket.',
    ],
  ])('%s, in under 100 ms', async (_, files, reason, fix) => {
    const root = fakeHost(files);
    let entry = {};
    // On a busy machine not each time.
    const took = async (): Promise<number> => {
      const started_ms = performance.now();
      entry = await absence(root);
      return performance.now() - started_ms;
    };
    await expect.poll(took, { timeout: 20_000 }).toBeLessThan(100);
    expect(entry).toEqual({ what: uri, reason: expect.stringMatching(reason), fix });
  });

  test('a socket that an ended scheduler left behind', async () => {
    const root = fakeHost(disabled);
    await (await fakeScheduler(socketOf(root))).stop();
    expect((await absence(root))['reason']).toMatch(/^No .* loaded: nobody listens .* left behind/);
  });

  test.skipIf(!mayBecomeNobody)(
    'a socket that only root may use (needs root and seteuid)',
    async () => {
      const root = fakeHost(enabled);
      await serve(root);
      for (const folder of [root, `${root}/var`, `${root}/var/run`]) chmodSync(folder, 0o755);
      becomeNobody();
      try {
        expect(await absence(root)).toMatchObject({
          reason: expect.stringMatching(/^Only its owner may connect .* user id 65534/),
          fix: `sudo chown 65534 ${socketOf(root)}`,
        });
      } finally {
        becomeRoot();
      }
    },
  );

  test.skipIf(!mayBecomeNobody)(
    'a socket of root’s that an ended scheduler left behind (needs root and seteuid)',
    async () => {
      const root = fakeHost(disabled);
      await (await fakeScheduler(socketOf(root))).stop();
      for (const folder of [root, `${root}/var`, `${root}/var/run`]) chmodSync(folder, 0o755);
      becomeNobody();
      try {
        expect((await absence(root))['reason']).toMatch(/^No .* loaded: .* left of one that ended/);
      } finally {
        becomeRoot();
      }
    },
  );

  test('a scheduler that does not answer is given up after two seconds', async () => {
    const root = fakeHost(enabled);
    const scheduler = await serve(root);
    const started_ms = performance.now();
    const entry = await absence(root, '?target=hanging');
    expect(performance.now() - started_ms).toBeLessThan(3000);
    expect(entry['reason']).toMatch(/did not answer .*no line within 2000 ms/);
    expect(scheduler.requests).toHaveLength(1);
  });

  test('a failure inside the scheduler is told with its causes', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    expect((await absence(root, '?target=failing'))['reason']).toBe(
      'The scheduler answered with an error: reading the map: No such file or directory (os error 2).',
    );
  });

  test('a listener that speaks something else', async () => {
    const root = fakeHost(enabled);
    mkdirSync(dirname(socketOf(root)), { recursive: true });
    const server = createServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400\n')),
    );
    server.unref();
    await new Promise<void>((resolve) => server.listen(socketOf(root), resolve));
    expect((await absence(root))['reason']).toMatch(/no scx_stats server: not JSON/);
  });

  test('a file that is no socket', async () => {
    const root = fakeHost(enabled);
    mkdirSync(dirname(socketOf(root)), { recursive: true });
    writeFileSync(socketOf(root), '');
    expect((await absence(root))['reason']).toMatch(/nobody listens/);
  });

  test('a canceled read ends before its window does', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 50);
    const started_ms = performance.now();
    await expect(read(root, '?window_ms=5000', cancel.signal)).rejects.toThrow(/abort/);
    expect(performance.now() - started_ms).toBeLessThan(5000);
  });
});

describe('an answer of over a megabyte', () => {
  const layers = '?target=layers&window_ms=100';

  test('leaves out what is too large and says how to read it', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const answer = await read(root, layers);
    expect(answer).toMatchObject({
      stats: { nr_layers: 4000 },
      left_out: [{ path: 'layers', entries: 4000, bytes: expect.any(Number) }],
      truncated: true,
      next: `${uri}?target=layers&window_ms=100&path=layers`,
    });
    expect((answer['left_out'] as { bytes: number }[])[0]?.bytes).toBeGreaterThan(1_000_000);
  });

  test('is read page by page without a gap, each below 36,000 bytes', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const names: string[] = [];
    let query = `${layers}&path=layers&limit=300`;
    while (names.length < 300) {
      const answer = await read(root, query);
      expect(JSON.stringify(answer).length).toBeLessThan(36_000);
      expect(answer['total']).toBe(4000);
      names.push(...Object.keys(answer['stats'] as object));
      query = String(answer['next']).slice(uri.length);
    }
    expect(names).toEqual(Array.from({ length: names.length }, (_, index) => `layer-${index}`));
    expect(names.length).toBeGreaterThanOrEqual(300);
  });

  test('a path selects one layer, one number, and one of a list', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const at = async (path: string): Promise<unknown> =>
      (await read(root, `${layers}&path=${path}`))['stats'];
    expect(await at('layers.layer-42')).toMatchObject({ util: 0.42, tasks: 42 });
    expect(await at('layers.layer-42.util')).toBe(0.42);
    expect(await at('layers.layer-42.cpus.1')).toBe('18446744073709551615');
  });

  test('a name with a dot in it is a path too', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const { stats } = await read(root, '?window_ms=100&path=layers.web.slice.util');
    expect(stats).toBe(20.5);
  });

  test.each([
    ['?window_ms=100&path=layers.nope', /no path "layers\.nope"/],
    ['?target=nope', /no statistics "nope"/],
    ['?window_ms=100&meta=Nope', /no struct "Nope"/],
    ['?target=../etc', /target: must be a plain name/],
    ['?socket=/tmp/x', /[Uu]nrecognized key/],
  ])('%s is INVALID_PARAMS', async (query, message) => {
    const root = fakeHost(enabled);
    await serve(root);
    await expect(read(root, query)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      message: expect.stringMatching(message),
    });
  });
});

describe('stats_meta', () => {
  test('describes all structs, or one, and only when asked', async () => {
    const root = fakeHost(enabled);
    await serve(root);
    const all = await read(root, '?window_ms=100&meta=true');
    expect(all['stats_meta']).toMatchObject({
      Metrics: { top: true, fields: { layers: { type: '{string: Layer}', desc: 'by layer' } } },
      Layer: { desc: 'one layer' },
    });
    const one = await read(root, '?window_ms=100&meta=Layer');
    expect(Object.keys(one['stats_meta'] as object)).toEqual(['Layer']);
  });
});
