import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keepCapture, tryToKeep } from '../../src/collectors/profile-captures.ts';
import { views } from '../../src/collectors/profile-view.ts';
import { createContext } from '../../src/context.ts';
import { surface } from '../../src/surface.ts';
import { profileView } from '../../src/tools/host/profile-view.ts';
import { call } from '../fake-host.ts';
import { emptyFolder } from '../fake-topology.ts';
import { manyStacks, profileOf } from '../profiles/sample-profile.ts';

const room = emptyFolder();
const files = join(room, 'files');
mkdirSync(files);
const settings = { daemon: false, readOnly: false };
const ctx = createContext({ ...settings, stateFolder: join(room, 'state'), importRoots: [files] });

const profile = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 60 },
  { stack: 'main;read;sys_read_[k]', weight: 40 },
]);
const slower = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 600 },
  { stack: 'main;slow', weight: 900 },
]);
const times = { stacks: [0, 1, 0], tids: [8, 8, 8], cpus: [0, 1, 0], ns: [5, 6, 7] };
const timed = { ...slower, times };
const { capture_id: id } = (await keepCapture(ctx, profile, 'CPU profile of a test')).kept;
const { capture_id: later } = (await keepCapture(ctx, timed, 'later')).kept;
const { capture_id: many } = (await keepCapture(ctx, manyStacks(20_000), 'many')).kept;

const ask = (args: object) => profileView.invoke(args, ctx, call);
const read = (view: string, query = '') =>
  surface.readResourceText(`profiling://captures/${id}/${view}${query}`, ctx, call);

describe('profile_view', () => {
  test('summarises a capture: event, tasks, modules, hottest functions', async () => {
    const { data, summary } = await ask({ capture: id });
    expect(data).toMatchObject({
      capture_id: id,
      total: 100,
      by_task: [{ task: 'prog (7)', pct: 100 }],
      rows: [{ function: 'hash [libc.so.6]', self_pct: 60, total_pct: 60 }, {}, {}, {}, {}],
    });
    expect(summary.join(' ')).toContain('hash [libc.so.6] 60 %');
  });

  test('draws the callers and callees of a function', async () => {
    const { data } = await ask({ capture: id, view: 'callers', function: 'work' });
    expect(data).toMatchObject({
      total_pct: 60,
      rows: [
        { caller: 'main', pct: 100 },
        { callee: 'hash [libc.so.6]', pct: 100 },
      ],
    });
  });

  test('compares with the capture from before, what changed most first', async () => {
    const { data, summary } = await ask({ capture: later, view: 'diff', other: id });
    expect(Object(data).rows.slice(0, 2)).toMatchObject([
      { function: 'slow', self_change_pct: 60 },
      { function: 'sys_read', self_change_pct: -40 },
    ]);
    expect(summary[0]).toContain('slow +60');
  });

  test.each(views.filter((view) => view.includes('.')))('writes %s, with a link', async (view) => {
    const { data, links } = await ask({ capture: later, view, other: id });
    const { file, uri, mime_type, bytes } = Object(data);
    expect(readFileSync(file)).toHaveLength(bytes);
    expect(links).toMatchObject([{ uri, mimeType: mime_type }]);
    const document = await surface.readResource(uri, ctx, call);
    expect(document).toMatchObject({ mime_type });
  });

  test.each(views.filter((view) => !view.includes('.')))(
    'stays below 10,000 tokens with %s of 20,000 stacks',
    async (view) => {
      const top = await ask({ capture: many, view: 'top', limit: 1 });
      const name = Object(top.data).rows[0].function.slice(0, 40);
      const reading = await ask({ capture: many, view, other: id, function: name, limit: 500 });
      expect(JSON.stringify(reading).length / 4).toBeLessThan(10_000);
    },
  );

  test.each(['flamegraph.png', 'diff.png'])(
    'gives %s as a picture beside the answer',
    async (view) => {
      const { data, picture } = await ask({ capture: later, view, other: id });
      expect(picture).toEqual({ mimeType: 'image/png', bytes: readFileSync(Object(data).file) });
      const { answer } = await surface.askTool(
        profileView,
        { capture: later, view, other: id },
        ctx,
        call,
      );
      expect(answer).not.toHaveProperty('picture');
    },
  );

  test('has no trace of a profile that does not tell when', async () => {
    await expect(ask({ capture: id, view: 'profile.pftrace' })).rejects.toMatchObject({
      code: 'FEATURE_UNAVAILABLE',
      suggestion: expect.stringContaining('record_trace sample_hz'),
    });
  });

  test('gives a picture, and no file, where nothing may be written', async () => {
    const args = { capture: later, view: 'flamegraph.png' };
    const readOnly = { ...ctx, settings: { ...ctx.settings, readOnly: true } };
    const { data, picture } = await profileView.invoke(args, readOnly, call);
    expect(picture?.bytes).toHaveLength(Object(data).bytes);
    expect(data).not.toHaveProperty('file');
    await expect(
      profileView.invoke({ ...args, view: 'flamegraph.svg' }, readOnly, call),
    ).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  test('pages its rows', async () => {
    const first = await ask({ capture: many, view: 'top', limit: 2 });
    const next = await ask({ capture: many, view: 'top', limit: 2, offset: 2 });
    expect(first).toMatchObject({ truncated: true, next: expect.stringContaining('offset=2') });
    expect(Object(next.data).rows[0].self).toBeLessThanOrEqual(Object(first.data).rows[1].self);
  });

  test.each([
    [{ capture: 'profile_00000000' }, 'There is no profile capture'],
    [{ capture: id, view: 'callers' }, 'missing'],
    [{ capture: id, view: 'callers', function: 'zzz' }, 'No function'],
    [{ capture: id, view: 'diff' }, 'two captures'],
    [{ capture: id, view: 'diff', other: '../../x' }, 'no profile capture'],
    [{ capture: id, view: 'nonsense' }, 'view'],
  ])('%j is told what is wrong', async (args, message) => {
    await expect(ask(args)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      message: expect.stringContaining(message),
    });
  });
});

describe('profiling://captures', () => {
  test('gives files as what they are', async () => {
    expect(await read('flamegraph.svg')).toMatchObject({ mimeType: 'image/svg+xml' });
    expect(await read('profile.pb.gz')).toMatchObject({ content: expect.any(Uint8Array) });
    expect(await read('folded.txt')).toMatchObject({
      mimeType: 'text/plain',
      content: 'prog;main;read;sys_read 40\nprog;main;work;hash 60\n',
    });
  });

  test('gives rows as JSON, with parameters', async () => {
    const text = await read('top', '?limit=1');
    expect(JSON.parse(String(text))).toMatchObject({ rows: [{ self: 60 }], truncated: true });
  });

  test('is listed as a template alone', () => {
    const template = 'profiling://captures/{id}/{view}{?function,other,limit,offset}';
    const listed = surface.listResourceTemplates(settings).resourceTemplates;
    expect(listed.map(({ uriTemplate }) => uriTemplate)).toContain(template);
    const uris = surface.listResources(settings).resources.map(({ uri }) => uri);
    expect(uris.filter((uri) => uri.includes('{'))).toEqual([]);
  });

  test.each([
    'profiling://captures/x',
    'profiling://captures/x/y/z',
    'profiling://captures/../flamegraph.svg/x',
    'profiling://captures/%2e%2e/top',
    'profiling://captures//top',
  ])('%s is no resource', (uri) => {
    expect(surface.findResource(uri)).toBeUndefined();
  });

  test.each(['profiling://captures/../top', 'profiling://captures/x/top?limit=0'])(
    '%s is refused',
    async (uri) => {
      await expect(surface.readResource(uri, ctx, call)).rejects.toMatchObject({
        code: 'INVALID_PARAMS',
      });
    },
  );
});

describe('an import', () => {
  writeFileSync(join(files, 'stacks.folded'), 'main;work 7\nmain;read 3\n');
  writeFileSync(join(room, 'outside.folded'), 'main;work 7\n');
  symlinkSync(join(room, 'outside.folded'), join(files, 'link.folded'));
  symlinkSync(join(files, 'stacks.folded'), join(files, 'inside.folded'));
  execFileSync('mkfifo', [join(files, 'pipe')]);
  writeFileSync(join(files, 'prose.txt'), 'Nothing to see here.\n');

  test('is kept under an id, which serves for the next view', async () => {
    const { data, source } = await ask({ capture: join(files, 'inside.folded'), view: 'top' });
    expect(source).toBe(`${join(files, 'stacks.folded')} (folded stacks)`);
    const next = await ask({ capture: Object(data).capture_id });
    expect(next.data).toMatchObject({ total: 10 });
  });

  test('takes a path relative to the first root', async () => {
    expect((await ask({ capture: 'stacks.folded' })).data).toMatchObject({ total: 10 });
  });

  test.each([
    ['/etc/passwd', 'NOT_ALLOWED'],
    [join(room, 'outside.folded'), 'NOT_ALLOWED'],
    [join(files, 'link.folded'), 'NOT_ALLOWED'],
    ['../outside.folded', 'NOT_ALLOWED'],
    [join(files, 'pipe'), 'INVALID_PARAMS'],
    [files, 'INVALID_PARAMS'],
    [join(files, 'absent'), 'INVALID_PARAMS'],
    [join(files, 'prose.txt'), 'INVALID_PARAMS'],
    ['stacks\u0000.folded', 'INVALID_PARAMS'],
  ])('refuses %s', async (capture, code) => {
    await expect(ask({ capture })).rejects.toMatchObject({ code });
  });

  test('without a root is refused, with the option that names one', async () => {
    const bare = createContext({ ...settings, stateFolder: join(room, 'none'), importRoots: [] });
    await expect(
      profileView.invoke({ capture: join(files, 'stacks.folded') }, bare, call),
    ).rejects.toMatchObject({ suggestion: expect.stringContaining('--import-root') });
  });

  test('with --read-only is looked at, and nothing is written', async () => {
    const state = join(room, 'untouched');
    const readOnly = createContext({
      ...{ daemon: false, readOnly: true, stateFolder: state },
      importRoots: [files],
    });
    const capture = join(files, 'stacks.folded');
    const { data } = await profileView.invoke({ capture, view: 'top' }, readOnly, call);
    expect(data).toMatchObject({
      capture_id: null,
      rows: [{ function: 'work', self_pct: 70 }, {}, { function: 'main', total_pct: 100 }],
    });
    await expect(
      profileView.invoke({ capture, view: 'flamegraph.svg' }, readOnly, call),
    ).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(existsSync(state)).toBe(false);
  });
});

test('a profile that cannot be kept is a warning, not a failure', async () => {
  const blocked = join(room, 'a-file');
  writeFileSync(blocked, '');
  const full = createContext({ ...settings, stateFolder: blocked });
  const { kept, links, warnings } = await tryToKeep(full, profile, 'x');
  expect(kept.capture_id).toBeNull();
  expect(links).toEqual([]);
  expect(warnings[0]).toContain('not kept');
});

test('files of a capture can be read by its owner alone', () => {
  const folder = join(room, 'state/profile', id ?? '');
  expect(readdirSync(folder)).toContain('flamegraph.svg');
  expect(
    execFileSync('stat', ['-c', '%a', join(folder, 'flamegraph.svg')], { encoding: 'utf8' }).trim(),
  ).toBe('600');
});
