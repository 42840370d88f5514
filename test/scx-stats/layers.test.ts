import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { parseLayers } from '../../parsers/scx-stats/layers.ts';
import { parseScxStats } from '../../parsers/scx-stats/scx-stats.ts';
import type { SchedulerStats } from '../../src/collectors/scx-stats-report.ts';
import { createContext } from '../../src/context.ts';
import { readResource } from '../../src/resources/read.ts';
import { call, fakeHost } from '../fake-host.ts';
import { fakeScheduler } from './fake-server.ts';

const recorded = (name: string): string =>
  readFileSync(`fixtures/scx-stats/${name}/input.txt`, 'utf8').trim();
const layered = recorded('layered-second.k6.18.15+deb13.scx_layered-1.1.4');
const bpfland = recorded('bpfland-second.k6.18.15.scx_bpfland-1.1.4');

const load = {
  name: 'load',
  index: 0,
  tasks: 1,
  util_pct: 21.74,
  util_frac_pct: 82.14,
  nr_cpus: 1,
};

function layersOf(line: string) {
  const answer = parseScxStats(line);
  return answer.ok ? parseLayers(answer.resp) : undefined;
}

describe('layers in an answer', () => {
  test('of scx_layered come with their numbers, the busiest first', () => {
    expect(layersOf(layered)).toEqual([
      load,
      { ...load, name: 'rest', index: 1, tasks: 30, util_pct: 4.73, util_frac_pct: 17.86 },
    ]);
  });

  test('of a scheduler without layers are none', () => {
    expect(layersOf(bpfland)).toBeNull();
    expect(parseLayers({ layers: { L1: 64, L2: 512 } })).toBeNull();
    expect(parseLayers({ layers: [1, 2] })).toBeNull();
  });

  test('keep an unknown number as null, and come last by it', () => {
    const rows = parseLayers({ layers: { unknown: { util: null, tasks: 3 }, idle: { util: 0 } } });
    expect(rows).toMatchObject([
      { name: 'idle', util_pct: 0, tasks: null, nr_cpus: null },
      { name: 'unknown', util_pct: null, tasks: 3, util_frac_pct: null },
    ]);
  });
});

type Answer = SchedulerStats & Readonly<{ summary: readonly string[] }>;

describe('stats://scheduler/raw', () => {
  const root = fakeHost({
    'sys/kernel/sched_ext/state': 'enabled\n',
    'sys/kernel/sched_ext/root/ops': 'layered_1.1.4_x86_64_unknown_linux_gnu\n',
  });
  const socket = join(root, 'var/run/scx/root/stats');
  const read = async (query: string) => {
    const ctx = createContext({ daemon: false, readOnly: false }, root);
    return (await readResource(`stats://scheduler/raw${query}`, ctx, call)) as Answer;
  };

  test('names the layers of a recorded exchange beside what was answered', async () => {
    mkdirSync(dirname(socket), { recursive: true });
    const server = createServer((client) => {
      createInterface({ input: client }).on('line', () => client.write(`${layered}\n`));
    }).listen(socket);
    await once(server, 'listening');
    const answer = await read('?window_ms=100&path=layers.load');
    server.close();
    expect(answer).toMatchObject({
      layers: [load, { name: 'rest' }],
      stats: { slice_us: 20_000, util: 21.743493571511742 },
    });
    expect(answer.summary[1]).toBe(
      '2 layers; the busiest: load 21.74 % of a CPU with 1 task, rest 4.73 % of a CPU with 30 tasks.',
    );
  });

  test('shows the thirty busiest of many layers, and says how many there are', async () => {
    const scheduler = await fakeScheduler(socket);
    const answer = await read('?target=layers&window_ms=100');
    await scheduler.stop();
    expect(answer.layers?.map(({ name }) => name)).toEqual(
      Array.from({ length: 30 }, (_, index) => `layer-${3999 - index}`),
    );
    expect(answer.summary[1]).toMatch(/^4000 layers; the busiest: layer-3999 39\.99 % of a CPU/);
    expect(JSON.stringify(answer).length).toBeLessThan(36_000);
  });
});
