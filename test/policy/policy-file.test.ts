import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readPolicyFile } from '../../src/policy/policy-file.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-test-policy-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const folder = join(room, 'etc');
const file = join(folder, 'policy.json');
const self = process.geteuid?.() ?? 0;
const read = (): string => readPolicyFile(file, [self]);

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  chmodSync(folder, 0o755);
  writeFileSync(file, '{"python":false}', { mode: 0o644 });
  chmodSync(file, 0o644);
});

test('a file of its administrator in a folder of theirs is read', () => {
  expect(read()).toBe('{"python":false}');
});

describe('what someone else may change is no policy', () => {
  test.each([0o664, 0o646, 0o666])('a file of mode %o', (mode) => {
    chmodSync(file, mode);
    expect(read).toThrow(/mode/);
  });

  test.each([0o775, 0o757, 0o1777])('a folder of mode %o', (mode) => {
    chmodSync(folder, mode);
    expect(read).toThrow(/mode/);
  });

  test('the error ends with the command that helps', () => {
    chmodSync(file, 0o664);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'NOT_ALLOWED',
        suggestion: expect.stringContaining(`chmod go-w ${file}`),
      }),
    );
  });

  test('a link to a file that would do', () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, '{}', { mode: 0o644 });
    rmSync(file);
    symlinkSync(other, file);
    expect(read).toThrow(/is a link/);
  });

  test('a folder that is a link', () => {
    const link = join(room, 'link');
    symlinkSync(folder, link);
    try {
      expect(() => readPolicyFile(join(link, 'policy.json'), [self])).toThrow(/is a link/);
    } finally {
      rmSync(link);
    }
  });

  test('a folder in place of the file', () => {
    rmSync(file);
    mkdirSync(file, { mode: 0o755 });
    expect(read).toThrow(/not a regular file/);
  });

  test('a file of 65 KiB', () => {
    writeFileSync(file, ' '.repeat(65 * 1024));
    expect(read).toThrow(/more than 65536 bytes/);
  });
});

describe.skipIf(self !== 0)('ownership (needs root)', () => {
  test('a file of another user is refused', () => {
    chownSync(file, 65_534, 65_534);
    expect(read).toThrow(/belongs to user 65534/);
  });

  test('a folder of another user is refused', () => {
    chownSync(folder, 65_534, 65_534);
    expect(read).toThrow(/belongs to user 65534/);
  });
});
