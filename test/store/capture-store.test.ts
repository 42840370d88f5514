import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureStore } from '../../src/store/capture-store.ts';

let room: string;
let time = Date.parse('2026-01-01T00:00:00Z');
const now = (): Date => {
  time += 1000;
  return new Date(time);
};

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'tracewright-store-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const limits = { ttl_ms: 3_600_000, quota_bytes: 100, max_captures: 3 };

describe('a capture', () => {
  test('is read back as it was saved, by another server too', async () => {
    const { id } = await captureStore(room, now).save('python', 'a.py', {
      'profile.json': '{"a":1}',
    });
    const other = captureStore(room, now);
    expect(other.read('python', id, 'profile.json')).toBe('{"a":1}');
    expect(other.list('python')).toMatchObject([{ id, title: 'a.py', bytes: 7 }]);
  });

  test('can be read by its owner alone', async () => {
    const folder = join(room, 'state');
    await captureStore(folder, now).save('python', 'x', { 'a.txt': 'x' });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('goes when it is removed', async () => {
    const store = captureStore(room, now);
    const { id } = await store.save('python', 'x', { 'a.txt': 'x' });
    expect(store.remove('python', id)).toBe(true);
    expect(store.remove('python', id)).toBe(false);
    expect(store.read('python', id, 'a.txt')).toBeNull();
  });

  test('older than the TTL goes when the next one is saved', async () => {
    const store = captureStore(room, now, limits);
    const { id } = await store.save('python', 'old', { 'a.txt': 'x' });
    time += limits.ttl_ms;
    const next = await store.save('python', 'new', { 'a.txt': 'x' });
    expect(store.list('python').map((each) => each.id)).toEqual([next.id]);
    expect(store.read('python', id, 'a.txt')).toBeNull();
  });

  test('beyond the quota pushes out the oldest, never itself', async () => {
    const store = captureStore(room, now, limits);
    const saved = (title: string) => store.save('python', title, { 'a.txt': 'x'.repeat(40) });
    const [first, second, third] = [await saved('a'), await saved('b'), await saved('c')];
    expect(store.list('python').map((each) => each.id)).toEqual([third.id, second.id]);
    expect(store.read('python', first.id, 'a.txt')).toBeNull();
  });

  test('larger than the quota is refused, and the others stay', async () => {
    const store = captureStore(room, now, limits);
    const { id } = await store.save('python', 'a', { 'a.txt': 'x' });
    await expect(store.save('python', 'b', { 'a.txt': 'x'.repeat(101) })).rejects.toThrow(
      /may have 100/,
    );
    expect(store.list('python').map((each) => each.id)).toEqual([id]);
  });
});

test.each([
  ['../python', 'manifest.json'],
  ['python_00000000/..', 'a.txt'],
  ['python_00000000', '../../a.txt'],
])('the id %j and file %j reach nothing', (id, file) => {
  expect(captureStore(room, now).read('python', id, file)).toBeNull();
});

test('a link where the folder should be is refused', async () => {
  mkdirSync(join(room, 'elsewhere'));
  symlinkSync(join(room, 'elsewhere'), join(room, 'state'));
  const store = captureStore(join(room, 'state'), now);
  await expect(store.save('python', 'x', { 'a.txt': 'x' })).rejects.toThrow(/is a link/);
  expect(readdirSync(join(room, 'elsewhere'))).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  'a full disk is said, and what was there stays whole (needs root)',
  async () => {
    const disk = join(room, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk]);
    try {
      const store = captureStore(disk, now);
      const { id } = await store.save('python', 'small', { 'a.txt': 'x' });
      await expect(store.save('python', 'large', { 'a.txt': 'x'.repeat(100_000) })).rejects.toThrow(
        /could not be kept: ENOSPC/,
      );
      expect(store.read('python', id, 'a.txt')).toBe('x');
      expect(readdirSync(join(disk, 'python'))).toEqual([id]);
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);

describe('a capture that is written piece by piece', () => {
  const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(65);

  test('is there once it is kept, and not before', async () => {
    const store = captureStore(room, now);
    const draft = store.begin('recording', 'trace.pftrace');
    draft.append(bytes(3));
    expect(store.list('recording')).toEqual([]);
    draft.append(bytes(4));
    const { id, bytes: size } = await draft.keep('a trace', { 'recording.json': '{}' });
    expect(size).toBe(9);
    expect(store.kinds()).toEqual(['recording']);
    expect(statSync(store.path('recording', id, 'trace.pftrace') ?? '').size).toBe(7);
  });

  test('leaves nothing when it is dropped', () => {
    const store = captureStore(room, now);
    const draft = store.begin('recording', 'trace.pftrace');
    draft.append(bytes(300_000));
    draft.drop();
    draft.drop();
    expect(readdirSync(join(room, 'recording'))).toEqual([]);
  });

  test('beyond the quota is refused, and older ones stay', async () => {
    const store = captureStore(room, now, limits);
    const { id } = await store.save('recording', 'old', { 'a.txt': 'x' });
    const draft = store.begin('recording', 'trace.pftrace');
    draft.append(bytes(60));
    expect(() => draft.append(bytes(60))).toThrow(/may have 100/);
    expect(readdirSync(join(room, 'recording'))).toEqual([id]);
  });

  test('has no file elsewhere', () => {
    const store = captureStore(room, now);
    expect(() => store.begin('recording', '../x.pftrace')).toThrow(/could not be kept/);
    expect(store.path('recording', '../../etc', 'passwd')).toBeNull();
  });
});

/** Many containers refuse it to their root. */
const mayMount =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;

describe.skipIf(!mayMount)('on a full disk (who may mount one)', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', room]);
  });
  afterEach(() => {
    execFileSync('umount', [room]);
  });

  test('a capture fails with what to do, and older ones stay whole', async () => {
    const store = captureStore(room, now);
    const { id } = await store.save('recording', 'old', { 'a.txt': 'x'.repeat(100_000) });
    const draft = store.begin('recording', 'trace.pftrace');
    const fill = (): void => {
      for (let piece = 0; piece < 40; piece += 1) draft.append(new Uint8Array(100_000));
    };
    expect(fill).toThrow(/no space left|ENOSPC/i);
    draft.drop();
    expect(readdirSync(join(room, 'recording'))).toEqual([id]);
    expect(store.read('recording', id, 'a.txt')).toHaveLength(100_000);
    expect((await store.save('recording', 'next', { 'a.txt': 'y' })).bytes).toBe(1);
  });
});
