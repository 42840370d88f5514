import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { resources } from '../../src/resources/index.ts';
import { listEvents } from '../../src/tools/scheduler/list-events.ts';
import { queryStats } from '../../src/tools/scheduler/query-stats.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';

describe('list_events with hostile arguments', () => {
  const mark = '/tmp/tracewright-list-events-mark';
  const evil = [
    `$(touch ${mark})`,
    `; touch ${mark}`,
    `\`touch ${mark}\``,
    `-o${mark}`,
    '--script=/etc/passwd',
    '../../../etc/passwd',
    'sched\nirq',
    'sched\u0000',
    'x'.repeat(1_000_000),
    '__proto__',
  ];
  const ctx = createContext({ daemon: false, readOnly: false });

  test.each(evil.filter((name) => name !== '__proto__'))(
    'refuses the subsystem %#',
    async (subsystem) => {
      const answer = listEvents.invoke({ subsystem }, ctx, call);
      await expect(answer).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
      expect(existsSync(mark)).toBe(false);
    },
  );

  test('finds no events in a subsystem called like a property of every object', async () => {
    const answer = await listEvents
      .invoke({ subsystem: '__proto__' }, ctx, call)
      .catch((error: unknown) => error);
    // Where no events can be listed at all, the answer says that instead.
    expect(answer).toMatchObject(
      answer instanceof Error ? { code: 'INVALID_PARAMS' } : { data: { events: [] } },
    );
  });

  test.each(evil)('finds nothing by the filter %#, or refuses it', async (filter) => {
    const answer = await listEvents
      .invoke({ event_type: 'kprobe', filter }, ctx, call)
      .catch((error: unknown) => error);
    expect(answer).toMatchObject(
      answer instanceof Error
        ? { code: 'INVALID_PARAMS' }
        : { data: { events: expect.not.arrayContaining(['root']) } },
    );
    expect(existsSync(mark)).toBe(false);
  });

  test.each([{ limit: 0 }, { limit: 1001 }, { limit: '5' }, { offset: -1 }, { bogus: 1 }])(
    'refuses %j',
    async (args) => {
      const answer = listEvents.invoke({ subsystem: 'sched', ...args }, ctx, call);
      await expect(answer).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
    },
  );
});

describe('query_stats', () => {
  type Row = Readonly<{
    uri: string;
    description: string;
    available: boolean;
    reason: string | null;
    fix: string | null;
  }>;

  async function ask(args: object, files = {}): Promise<readonly Row[]> {
    const ctx = scriptedContext(fakeHost(files));
    const { data } = await queryStats.invoke(args, ctx, call);
    return Object(data).resources;
  }

  const scheduler = {
    'sys/kernel/sched_ext/state': 'enabled\n',
    'sys/kernel/sched_ext/root/ops': 'simple\n',
  };

  test('lists every resource of this server, in its own words', async () => {
    const rows = new Map((await ask({})).map((row) => [row.uri, row]));
    for (const { uri, description } of resources) {
      expect(rows.get(uri)?.description).toBe(description);
    }
  });

  test.each(['cpu', 'llc', 'node', 'dsq', 'process', 'scheduler', 'system'])(
    'names the resources on %s',
    async (stat_type) => {
      const uris = (await ask({ stat_type })).map(({ uri }) => uri);
      expect(uris.length).toBeGreaterThan(0);
      expect(uris.join()).toContain(stat_type);
    },
  );

  test('counts one as one', async () => {
    const ctx = scriptedContext(fakeHost({}));
    const { summary } = await queryStats.invoke({ stat_type: 'dsq' }, ctx, call);
    expect(summary[0]).toMatch(/^1 resource on dsq/);
  });

  test('says why sched_ext figures are missing and what brings them', async () => {
    const without = await ask({ stat_type: 'scheduler' });
    const scx = without.find(({ uri }) => uri === 'stats://scheduler/scx');
    expect(scx).toMatchObject({
      available: false,
      reason: expect.stringContaining('SCHED_CLASS_EXT'),
    });
    const idle = await ask(
      { stat_type: 'scheduler' },
      { 'sys/kernel/sched_ext/state': 'disabled\n' },
    );
    expect(idle.find(({ uri }) => uri === 'stats://scheduler/scx')?.fix).toBe('sudo scx_simple');
    const active = await ask({ stat_type: 'scheduler' }, scheduler);
    expect(active.every(({ available }) => available)).toBe(true);
  });

  test('refuses a type that is not documented', async () => {
    await expect(ask({ stat_type: 'thread' })).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
  });
});
