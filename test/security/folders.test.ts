import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scratchSpace } from '../../src/exec/scratch.ts';
import { requireUnchanged } from '../../src/exec/shipped-script.ts';
import { captureStore } from '../../src/store/capture-store.ts';

const isRoot = process.geteuid?.() === 0;
const nobody = 65_534;
const refused = expect.objectContaining({ code: 'NOT_ALLOWED' });

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'tracewright-attacks-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const store = (folder: string) => captureStore(folder, () => new Date());
const thrown = (work: () => unknown): unknown => {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
};

describe('the state folder', () => {
  const attacks: Readonly<Record<string, (folder: string) => void>> = {
    'a link': (folder) => {
      mkdirSync(join(room, 'elsewhere'));
      symlinkSync(join(room, 'elsewhere'), folder);
    },
    'writable by its group': (folder) => {
      mkdirSync(folder);
      chmodSync(folder, 0o770);
    },
    'writable by all': (folder) => {
      mkdirSync(folder);
      chmodSync(folder, 0o777);
    },
    'a file': (folder) => writeFileSync(folder, ''),
  };
  test.each(Object.keys(attacks))(
    'is refused for writing and reading when it is %s',
    async (name) => {
      const folder = join(room, 'state');
      attacks[name]?.(folder);
      const { save, read } = store(folder);
      await expect(save('python', 'x', { 'a.txt': 'x' })).rejects.toEqual(refused);
      expect(thrown(() => read('python', 'python_00000000', 'a.txt'))).toEqual(refused);
    },
  );

  test.skipIf(!isRoot)('is refused when it belongs to someone else (needs root)', async () => {
    const folder = join(room, 'state');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, nobody, nobody);
    await expect(store(folder).save('python', 'x', { 'a.txt': 'x' })).rejects.toMatchObject(
      refused,
    );
    expect(thrown(() => store(folder).read('python', 'python_00000000', 'a.txt'))).toEqual(refused);
  });

  test('is refused when the folder of a kind of captures is a link', async () => {
    const { id } = await store(room).save('python', 'x', { 'a.txt': 'x' });
    const other = join(room, 'other');
    mkdirSync(other, { mode: 0o700 });
    symlinkSync(join(room, 'python'), join(other, 'python'));
    expect(thrown(() => store(other).read('python', id, 'a.txt'))).toEqual(refused);
  });
});

describe('a file of a capture that was replaced', () => {
  const attacks: Readonly<Record<string, (file: string) => void>> = {
    'a link': (file) => symlinkSync(join(room, 'secret'), file),
    'a hard link': (file) => linkSync(join(room, 'secret'), file),
    // Whoever opens a pipe without a writer waits for ever.
    'a pipe': (file) => execFileSync('mkfifo', [file]),
    'a folder': (file) => mkdirSync(file),
  };
  test.each(Object.keys(attacks))('by %s is not read, whether manifest or data', async (name) => {
    writeFileSync(join(room, 'secret'), '{"id":"x","created_at":"x","bytes":1}');
    const folder = join(room, 'state');
    const { save, read, list } = store(folder);
    const { id } = await save('python', 'x', { 'a.txt': 'x' });
    const file = join(folder, 'python', id, 'a.txt');
    rmSync(file);
    attacks[name]?.(file);
    expect(read('python', id, 'a.txt')).toBeNull();
    const manifest = join(folder, 'python', id, 'manifest.json');
    rmSync(manifest);
    attacks[name]?.(manifest);
    expect(list('python')).toEqual([]);
  });
});

describe('the temporary directory', () => {
  const before = process.env['TMPDIR'];
  afterEach(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });

  test('is refused when others may rename what is in it', () => {
    chmodSync(room, 0o777);
    process.env['TMPDIR'] = room;
    expect(thrown(() => scratchSpace().path('a'))).toEqual(refused);
    chmodSync(room, 0o1777);
    expect(scratchSpace().path('a')).toContain(room);
  });

  test('may hold names of ours that someone made before: another one is taken', () => {
    process.env['TMPDIR'] = room;
    const uid = process.geteuid?.() ?? 0;
    const target = join(room, 'target');
    mkdirSync(target);
    const names = ['aaaaaa', 'bbbbbb', ''].map((end) => `tracewright-${uid}-${process.pid}-${end}`);
    for (const name of names) symlinkSync(target, join(room, name));
    const file = scratchSpace().write('a.bt', 'x');
    for (const name of names) expect(file.startsWith(`${join(room, name)}/`)).toBe(false);
  });
});

describe.skipIf(!isRoot)('a shipped script, for root (needs root)', () => {
  test.each([
    ['writable by its group', 0o664, 0],
    ['writable by all', 0o646, 0],
    ['of another user', 0o644, nobody],
  ])('that is %s is refused', (_, mode, uid) => {
    const script = join(room, 'x.bt');
    const own = join(room, 'cli.js');
    writeFileSync(script, '');
    writeFileSync(own, '');
    expect(thrown(() => requireUnchanged(script, own))).toBeNull();
    chmodSync(script, mode);
    chownSync(script, uid, uid);
    expect(thrown(() => requireUnchanged(script, own))).toEqual(refused);
  });

  test('in a folder that others may write to is refused', () => {
    const script = join(room, 'x.bt');
    writeFileSync(script, '');
    chmodSync(room, 0o777);
    expect(thrown(() => requireUnchanged(script, script))).toEqual(refused);
  });
});
