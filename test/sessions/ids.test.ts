import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Session, session } from './session.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-ids-'));
let mcp: Session;
beforeAll(async () => {
  writeFileSync(join(room, 'stacks.folded'), 'main;work 7\nmain;read 3\n');
  const own = ['--import-root', room, '--state-dir', join(room, 'state')];
  mcp = await session('--daemon', ...own);
});
afterAll(async () => {
  await mcp.close();
  rmSync(room, { recursive: true, force: true });
});

describe('a process', () => {
  const own = process.pid;

  test.each(['perf_thread_profile', 'perf_fd_trace', 'perf_cgroup_summary'])(
    '%s takes its pid as a number and as text',
    async (tool) => {
      for (const pid of [own, String(own)]) {
        const { success } = await mcp.call(tool, { pid, duration_seconds: 1 });
        expect(success).toBe(true);
      }
    },
  );

  test.each(['12abc', '-1', '0x10', '1.5', '', '99999999999'])('%j is no pid', async (pid) => {
    const { code } = await mcp.refused('perf_fd_trace', { pid });
    expect(code).toBe('INVALID_PARAMS');
  });

  test('a pid and a thread id of a list lead to the process, in a resource and a prompt', async () => {
    const { processes } = await mcp.read('stats://aggregated/process?limit=3');
    const [{ pid }] = Object(processes);
    const { thread_rows } = await mcp.read(`stats://aggregated/process?pid=${own}`);
    const { tid } = Object(thread_rows).at(-1);
    const found = await mcp.read(`stats://aggregated/process?pid=${tid}`);
    expect(Object(found['processes'])[0].pid).toBe(own);
    expect(await mcp.prompt('debug_high_latency', { pid: String(own) })).toContain(String(own));
    expect(pid).toBeGreaterThan(0);
  });

  test('its cgroup is one that perf_cgroup_summary takes, and so is the folder that it answers', async () => {
    const { processes } = await mcp.read(`stats://aggregated/process?pid=${own}`);
    const [{ cgroup }] = Object(processes);
    const { data } = await mcp.call('perf_cgroup_summary', { cgroup_path: cgroup });
    const again = await mcp.call('perf_cgroup_summary', { cgroup_path: Object(data).cgroup_path });
    expect(Object(again['data']).cgroup_path).toBe(Object(data).cgroup_path);
  });
});

describe('a capture', () => {
  let id = '';
  let link = '';
  beforeAll(async () => {
    const { data, links } = await mcp.call('profile_view', { capture: 'stacks.folded' });
    id = Object(data).capture_id;
    link = Object(links)[0].uri;
  });

  test('its id and its link are taken by profile_view', async () => {
    for (const capture of [id, link]) {
      const { data } = await mcp.call('profile_view', { capture, view: 'top' });
      expect(Object(data).capture_id).toBe(id);
    }
  });

  test('its id is taken by the resource, by read_resource and as the other one of a difference', async () => {
    const { capture_id } = await mcp.read(`profiling://captures/${id}/summary`);
    expect(capture_id).toBe(id);
    const read = await mcp.call('read_resource', { uri: link });
    expect(Object(read['data']).capture_id).toBe(id);
    const { success } = await mcp.call('profile_view', { capture: id, view: 'diff', other: id });
    expect(success).toBe(true);
  });

  test('its id is listed', async () => {
    const { captures } = await mcp.read('captures://list');
    expect(Object(captures).map((each: { id: string }) => each.id)).toContain(id);
  });

  test.each([
    ['profile_view', 'capture', 'python_0123456789ab', 'analyze_profile'],
    ['profile_view', 'capture', 'recording_0123456789ab', 'captures://recording?id='],
    ['analyze_profile', 'profile_id', 'profile_0123456789ab', 'profile_view'],
    ['get_file_details', 'profile_id', 'recording_0123456789ab', 'captures://recording?id='],
  ])(
    '%s with a %s of another kind, %s, names what takes it',
    async (tool, argument, other, takes) => {
      const more = tool === 'get_file_details' ? { filename: 'x.py' } : {};
      const { suggestion } = await mcp.refused(tool, { [argument]: other, ...more });
      expect(suggestion).toContain(takes);
      expect(suggestion).toContain(other);
    },
  );

  test('a recording is not what the id of a profile names', async () => {
    await expect(mcp.read(`captures://recording?id=${id}`)).rejects.toThrow('profile_view');
  });
});

describe('what is listed', () => {
  test('every URI and template of query_stats is taken by read_resource', async () => {
    const { data } = await mcp.call('query_stats', { stat_type: 'system' });
    const listed = Object(data).resources as { uri: string; uri_template: string | null }[];
    expect(listed.length).toBeGreaterThan(1);
    for (const { uri, uri_template } of listed) {
      for (const each of [uri, uri_template]) {
        if (each !== null)
          expect((await mcp.call('read_resource', { uri: each }))['success']).toBe(true);
      }
    }
  }, 60_000);

  test.each([
    [['sched_switch', 'exit']],
    ['sched_switch,exit'],
    ['sched:sched_switch'],
    ['tracepoint:sched:sched_switch'],
  ])('event types as %j are known', async (types) => {
    const { success } = await mcp.call('read_events', { types });
    expect(success).toBe(true);
  });

  test('a type that does not exist is still refused', async () => {
    const { message } = await mcp.refused('read_events', { types: 'sched:sched_swich' });
    expect(message).toContain('sched_swich');
  });

  test('a disk and an interface of the snapshot are taken by their tools', async () => {
    const { data } = await mcp.call('perf_snapshot');
    const { io, network } = Object(data);
    const device = io.devices?.[0]?.name;
    const link = network.interfaces?.[0]?.name;
    if (device) await mcp.call('perf_io_latency', { device, duration_seconds: 1 });
    if (link) await mcp.call('perf_net_health', { interface: link });
    expect([device, link].filter(Boolean)).not.toEqual([]);
  });
});
