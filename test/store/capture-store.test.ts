import { execFileSync } from 'node:child_process';
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
  test('is read back as it was saved, by another server too', () => {
    const { id } = captureStore(room, now).save('python', 'a.py', { 'profile.json': '{"a":1}' });
    const other = captureStore(room, now);
    expect(other.read('python', id, 'profile.json')).toBe('{"a":1}');
    expect(other.list('python')).toMatchObject([{ id, title: 'a.py', bytes: 7 }]);
  });

  test('can be read by its owner alone', () => {
    const folder = join(room, 'state');
    captureStore(folder, now).save('python', 'x', { 'a.txt': 'x' });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('goes when it is removed', () => {
    const store = captureStore(room, now);
    const { id } = store.save('python', 'x', { 'a.txt': 'x' });
    expect(store.remove('python', id)).toBe(true);
    expect(store.remove('python', id)).toBe(false);
    expect(store.read('python', id, 'a.txt')).toBeNull();
  });

  test('older than the TTL goes when the next one is saved', () => {
    const store = captureStore(room, now, limits);
    const { id } = store.save('python', 'old', { 'a.txt': 'x' });
    time += limits.ttl_ms;
    const next = store.save('python', 'new', { 'a.txt': 'x' });
    expect(store.list('python').map((each) => each.id)).toEqual([next.id]);
    expect(store.read('python', id, 'a.txt')).toBeNull();
  });

  test('beyond the quota pushes out the oldest, never itself', () => {
    const store = captureStore(room, now, limits);
    const [first, second, third] = ['a', 'b', 'c'].map((title) =>
      store.save('python', title, { 'a.txt': 'x'.repeat(40) }),
    );
    expect(store.list('python').map((each) => each.id)).toEqual([third?.id, second?.id]);
    expect(store.read('python', first?.id ?? '', 'a.txt')).toBeNull();
  });

  test('larger than the quota is refused, and the others stay', () => {
    const store = captureStore(room, now, limits);
    const { id } = store.save('python', 'a', { 'a.txt': 'x' });
    expect(() => store.save('python', 'b', { 'a.txt': 'x'.repeat(101) })).toThrow(/may have 100/);
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

test('a link where the folder should be is refused', () => {
  mkdirSync(join(room, 'elsewhere'));
  symlinkSync(join(room, 'elsewhere'), join(room, 'state'));
  const store = captureStore(join(room, 'state'), now);
  expect(() => store.save('python', 'x', { 'a.txt': 'x' })).toThrow(/is a link/);
  expect(readdirSync(join(room, 'elsewhere'))).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  'a full disk is said, and what was there stays whole (needs root)',
  () => {
    const disk = join(room, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk]);
    try {
      const store = captureStore(disk, now);
      const { id } = store.save('python', 'small', { 'a.txt': 'x' });
      expect(() => store.save('python', 'large', { 'a.txt': 'x'.repeat(100_000) })).toThrow(
        /could not be kept: ENOSPC/,
      );
      expect(store.read('python', id, 'a.txt')).toBe('x');
      expect(readdirSync(join(disk, 'python'))).toEqual([id]);
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);
