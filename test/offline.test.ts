import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bpftoolShow } from '../allowlist/bpftool.ts';
import type { Command } from '../allowlist/command.ts';
import { perfScript } from '../allowlist/perf-script.ts';
import { keepCapture } from '../src/collectors/profile-captures.ts';
import { type Context, createContext } from '../src/context.ts';
import type { Running } from '../src/exec/start.ts';
import { surface } from '../src/surface.ts';
import { keptProfiles, recordedText, recordings } from './collectors/kept-python.ts';
import { call } from './fake-host.ts';
import { emptyFolder } from './fake-topology.ts';
import { profileOf } from './profiles/sample-profile.ts';

const kept = keptProfiles();
const room = emptyFolder();
mkdirSync(join(room, 'files'));
writeFileSync(join(room, 'files', 'stacks.folded'), 'main;work 60\nmain;read 40\n');
/** As perf begins its files; perf itself reads the rest, and here nobody does. */
writeFileSync(join(room, 'files', 'perf.data'), `PERFILE2${'\0'.repeat(200)}`);

const started: Command[] = [];
const running: Running = {
  pid: 1,
  finished: Promise.resolve({
    stdout: '',
    stderr: '',
    exit_code: 0,
    signal: null,
    stopped_by: 'exit',
    duration_ms: 1,
  }),
  stop: () => {},
  printMaps: () => {},
  control: () => {
    throw new Error('no control pipe');
  },
};
const selection = { readOnly: false, offline: true };
const ctx: Context = createContext(
  {
    daemon: true,
    readOnly: false,
    offline: true,
    stateFolder: kept.ctx.captures.folder,
    importRoots: [join(room, 'files')],
  },
  '',
  (command) => {
    started.push(command);
    return Promise.resolve(running);
  },
);

let profile_id = '';
const filename = Object.keys(JSON.parse(recordedText(recordings[0] ?? '')).files)[0];
let other_id = '';
let capture = '';
beforeAll(async () => {
  const [first = ''] = recordings;
  profile_id = await kept.keep(recordedText(first));
  other_id = await kept.keep(recordedText(first));
  const profile = profileOf([{ stack: 'main;work', weight: 60 }]);
  capture = (await keepCapture(ctx, profile, 'a test')).kept.capture_id ?? '';
});

/** What each tool needs to do all that it does. */
const argumentsOf = (name: string): object => {
  if (name === 'read_resource') return { uri: 'captures://list' };
  if (name === 'list_profiles') return {};
  if (name === 'compare_profiles') return { before_id: profile_id, after_id: other_id };
  if (name === 'get_file_details') return { profile_id, filename };
  return { profile_id };
};

describe('--offline', () => {
  test('every tool that is offered answers and starts nothing', async () => {
    started.length = 0;
    const offered = surface.tools(selection).filter(({ name }) => name !== 'profile_view');
    expect(offered.length).toBeGreaterThan(8);
    for (const tool of offered) {
      const answer = await surface.callTool(tool, argumentsOf(tool.name), ctx, call);
      expect(answer, tool.name).toMatchObject({ success: true });
    }
    expect(started).toEqual([]);
  });

  test('profile_view starts the reader of perf.data for one, and else nothing', async () => {
    started.length = 0;
    const [view] = surface.tools({ ...selection, tools: ['profile_view'] });
    if (!view) throw new Error('no profile_view');
    const asked = (what: string) => surface.callTool(view, { capture: what }, ctx, call);
    expect(await asked(capture)).toMatchObject({ success: true });
    expect(await asked('stacks.folded')).toMatchObject({ success: true });
    expect(started).toEqual([]);
    await asked('perf.data').catch(() => {});
    expect(started.map(({ program, args }) => [program.name, args[0]])).toEqual([
      ['perf', 'script'],
    ]);
  });

  test('every resource that is listed answers and starts nothing', async () => {
    started.length = 0;
    const { resources } = surface.listResources(ctx.settings);
    const { resourceTemplates } = surface.listResourceTemplates(ctx.settings);
    const uris = resources.map(({ uri }) => uri).sort();
    expect(uris).toEqual(['captures://list', 'captures://recording']);
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate.split('://')[0])).toContain(
      'profiling',
    );
    await surface.readResource('captures://list', ctx, call);
    await surface.readResourceText(`profiling://captures/${capture}/summary`, ctx, call);
    expect(started).toEqual([]);
  });

  test('no other tool starts anything, were it called all the same', async () => {
    started.length = 0;
    const names = new Set(surface.tools(selection).map(({ name }) => name));
    const others = ['perf_bio_latency', 'perf_exec_trace', 'perf_info', 'perf_cpu_profile'];
    for (const tool of surface.tools({ readOnly: false, tools: others })) {
      expect(names.has(tool.name)).toBe(false);
      const { signal } = new AbortController();
      const quick = { ...ctx, sleep: () => Promise.resolve(), monotonicMs: ticking() };
      await surface.callTool(tool, {}, quick, { signal, progress: () => {} }).catch(() => {});
    }
    expect(started).toEqual([]);
  });

  test('a resource, a prompt or a tool of the live machine is refused with the way out', async () => {
    const refused = { code: 'NOT_ALLOWED', suggestion: 'Start it without --offline.' };
    const read = async (uri: string) => await surface.readResource(uri, ctx, call);
    await expect(read('stats://system/cpu')).rejects.toMatchObject(refused);
    await expect(surface.getPrompt('summarize_system', {}, ctx, call)).rejects.toMatchObject(
      refused,
    );
    expect(surface.listPrompts(ctx.settings).prompts).toEqual([]);
    expect(surface.refusedTool(selection, 'perf_info')).toMatchObject(refused);
    expect(surface.refusedTool(selection, 'profile_view')).toBeNull();
  });

  test('of the host nothing is read, and no socket is opened', () => {
    for (const path of ['/proc/stat', '/proc/1/status', '/sys/devices/system/cpu/online']) {
      expect(ctx.files.read(path)).toMatchObject({ ok: false, absence: 'denied' });
      expect(ctx.files.text(path)).toBeNull();
      expect(ctx.files.exists(path)).toBe(false);
    }
    expect(ctx.files.list('/proc')).toBeNull();
    expect(ctx.files.text('/proc/self/status')).toContain('Name:');
    expect(ctx.files.text('/proc/self/../1/status')).toBeNull();
    expect(() => ctx.connectStats()).toThrow(expect.objectContaining({ code: 'NOT_ALLOWED' }));
  });

  test('a command is refused by the guard, but for the reader', async () => {
    await expect(ctx.run(bpftoolShow('prog'))).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await ctx.run(perfScript('/tmp/x/perf.data'))).toMatchObject({ exit_code: 0 });
  });
});

function ticking(): () => number {
  let now_ms = 0;
  return () => {
    now_ms += 1000;
    return now_ms;
  };
}
