import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLayers } from '../../parsers/scx-stats/layers.ts';
import { parseScxStats, type ScxStats } from '../../parsers/scx-stats/scx-stats.ts';
import { parseStatsMeta } from '../../parsers/scx-stats/stats-meta.ts';
import { createContext } from '../../src/context.ts';
import { readResource } from '../../src/resources/read.ts';
import { type UnixLines, unixLines } from '../../src/sockets/unix-lines.ts';
import { call } from '../fake-host.ts';
import { fakeScheduler } from './fake-server.ts';
import { build_command, libraryIsBuilt, libraryServer } from './library.ts';

const folder = mkdtempSync(join(tmpdir(), 'agree-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const servers = [
  { name: 'the test server', start: fakeScheduler, skip: false },
  {
    name: libraryIsBuilt ? 'the crate scx_stats' : `the crate scx_stats (build: ${build_command})`,
    start: libraryServer,
    skip: !libraryIsBuilt,
  },
];

describe.each(servers)('$name', ({ name, start, skip }) => {
  const path = join(folder, String(servers.findIndex((server) => server.name === name)));
  let server: { stop(): Promise<void> } | undefined;
  beforeAll(async () => {
    if (!skip) server = await start(path);
  });
  afterAll(async () => server?.stop());

  async function ask(lines: UnixLines, request: string): Promise<ScxStats> {
    const reply = await lines.request(request);
    if (!reply.ok) throw new Error(reply.detail);
    return parseScxStats(reply.line);
  }

  const stats = (target: string): string => JSON.stringify({ req: 'stats', args: { target } });

  test.skipIf(skip)('a first answer counts from now, also where another client reads', async () => {
    const [one, other] = [unixLines(path), unixLines(path)];
    for (const lines of [one, other]) {
      const answer = await ask(lines, stats('top'));
      expect(answer).toMatchObject({ ok: true, resp: { nr_running: 3 } });
      expect(answer.ok && (answer.resp as { nr_enqueued: number }).nr_enqueued).toBeLessThan(5);
      lines.close();
    }
  });

  test.skipIf(skip)('whole 64-bit integers keep every digit and fractions stay', async () => {
    const lines = unixLines(path);
    expect(await ask(lines, stats('gauges'))).toMatchObject({
      resp: {
        dsq_id: '9223372036854775810',
        load: 0.30000000000000004,
        layers: { batch: { cpus: ['18446744073709551615', 3] } },
      },
      exact: expect.arrayContaining(['dsq_id', 'layers.batch.cpus.0']),
    });
    lines.close();
  });

  test.skipIf(skip)('layers come with what is told of them', async () => {
    const lines = unixLines(path);
    const answer = await ask(lines, stats('gauges'));
    lines.close();
    const layers = parseLayers(answer.ok ? answer.resp : null);
    expect(layers?.map(({ name }) => name)).toEqual(['batch', 'web.slice']);
    expect(layers?.[0]).toMatchObject({ tasks: 12, util_pct: 150.25, index: null, nr_cpus: null });
  });

  test.skipIf(skip).each([
    ['an unknown target', stats('nope'), /^unknown stat target StatsRequest/],
    ['an unknown command', '{"req":"bogus"}', /^unknown command "bogus"$/],
  ])('%s is EINVAL with its cause, and the connection goes on', async (_, request, cause) => {
    const lines = unixLines(path);
    expect(await ask(lines, request)).toMatchObject({
      errno: 22,
      message: 'Invalid argument (os error 22)',
      causes: [expect.stringMatching(cause)],
    });
    expect(await ask(lines, stats('top'))).toMatchObject({ ok: true });
    lines.close();
  });

  test.skipIf(skip)('what is no request is EINVAL, and the connection goes on', async () => {
    const lines = unixLines(path);
    for (const bad of ['not json', '{}', '{"req":"stats","args":{"nr_samples":3}}']) {
      expect(await ask(lines, bad)).toMatchObject({ ok: false, errno: 22 });
    }
    expect(await ask(lines, stats('top'))).toMatchObject({ ok: true });
    lines.close();
  });

  test.skipIf(skip)('a failed handler gives the chain of its causes', async () => {
    const lines = unixLines(path);
    expect(await ask(lines, stats('failing'))).toEqual({
      ok: false,
      errno: 22,
      message: 'reading the map',
      causes: ['No such file or directory (os error 2)'],
    });
    lines.close();
  });

  test.skipIf(skip)('the fields of the top struct have types and descriptions', async () => {
    const lines = unixLines(path);
    const answer = await ask(lines, '{"req":"stats_meta"}');
    lines.close();
    const { data, warnings } = parseStatsMeta(answer.ok ? answer.resp : null);
    expect(warnings).toEqual([]);
    expect(data['Metrics']?.top).toBe(true);
    expect(data['Metrics']?.fields['layers']).toEqual({
      type: '{string: Layer}',
      desc: 'by layer',
    });
  });

  test.skipIf(skip)('after a kill the socket file stays and nobody listens', async () => {
    const own = `${path}-killed`;
    const killed = await start(own);
    await killed.stop();
    expect(await unixLines(own).request(stats('top'))).toMatchObject({ why: 'refused' });
  });
});

describe.skipIf(!libraryIsBuilt)(`the crate scx_stats (build: ${build_command})`, () => {
  test('a window of the resource counts what the library counted in it', async () => {
    const path = join(folder, 'live');
    const server = await libraryServer(path);
    const ctx = createContext({ daemon: true, readOnly: false, statsSocketPath: path });
    for (const uri of ['stats://scheduler/raw?window_ms=500', 'stats://scheduler/raw']) {
      const answer = await readResource(uri, ctx, call);
      const { stats, window_ms } = answer as {
        stats: { nr_enqueued: number };
        window_ms: number;
      };
      // That server counts one a millisecond.
      expect(Math.abs(stats.nr_enqueued - window_ms)).toBeLessThanOrEqual(window_ms * 0.05);
    }
    await server.stop();
  });
});
