import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { auditFile, auditLines } from '../../src/audit/audit-file.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-test-audit-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));
const folder = join(room, 'log');
const file = join(folder, 'audit.jsonl');
beforeEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (sink: ReturnType<typeof auditFile>, text: string) =>
  new Promise<Error | null>((resolve) => sink.write(text, resolve));

test('lines go to the end of a file that only its owner may read', async () => {
  expect(await write(auditFile(file, true), 'a\n')).toBeNull();
  expect(await write(auditFile(file, true), 'b\n')).toBeNull();
  expect(readFileSync(file, 'utf8')).toBe('a\nb\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a full file is moved away; five are kept, and read oldest first', async () => {
  const sink = auditFile(file, true, 8);
  for (let line = 1; line <= 14; line++) {
    expect(await write(sink, `line ${String(line).padStart(2, '0')}\n`)).toBeNull();
  }
  const lines = [...auditLines(file)].filter((line) => line !== '');
  expect(lines).toEqual(['10', '11', '12', '13', '14'].map((each) => `line ${each}`));
});

test('two servers write to one file, also after one of them moved it', async () => {
  const [one, other] = [auditFile(file, true, 30), auditFile(file, true, 30)];
  for (let round = 0; round < 6; round++) {
    expect(await write(one, `one ${round}\n`)).toBeNull();
    expect(await write(other, `other ${round}\n`)).toBeNull();
  }
  expect([...auditLines(file)].filter((line) => line !== '')).toHaveLength(12);
});

test('a file that another program moved is made anew', async () => {
  const sink = auditFile(file, true);
  await write(sink, 'a\n');
  renameSync(file, `${file}.1`);
  expect(await write(sink, 'b\n')).toBeNull();
  expect(readFileSync(file, 'utf8')).toBe('b\n');
});

test('a write that fails is told, not thrown', async () => {
  const sink = auditFile(file, true);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  expect(await write(sink, 'a\n')).toBeInstanceOf(Error);
});

test('a file that cannot be opened again costs nobody else theirs', async () => {
  const sink = auditFile(file, true);
  rmSync(file);
  mkdirSync(file);
  expect(await write(sink, 'a\n')).toBeInstanceOf(Error);
  // It gets the number of what was closed, if anything was.
  const others = openSync(room, 'r');
  try {
    expect(await write(sink, 'b\n')).toBeInstanceOf(Error);
    expect(fstatSync(others).isDirectory()).toBe(true);
    rmSync(file, { recursive: true });
    expect(await write(sink, 'c\n')).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('c\n');
  } finally {
    closeSync(others);
  }
});

describe('what is no audit file', () => {
  beforeEach(() => mkdirSync(folder, { mode: 0o700 }));

  test('a link', () => {
    symlinkSync('/dev/null', file);
    expect(() => auditFile(file, true)).toThrow(/cannot be written/);
  });

  test('a second name of another file', () => {
    const other = join(folder, 'other');
    writeFileSync(other, '', { mode: 0o600 });
    linkSync(other, file);
    expect(() => auditFile(file, true)).toThrow(/no audit file/);
  });

  test('one that others may write to', () => {
    writeFileSync(file, '');
    chmodSync(file, 0o662);
    expect(() => auditFile(file, true)).toThrow(/no audit file/);
  });

  test('one in a folder that others may write to', () => {
    chmodSync(folder, 0o777);
    expect(() => auditFile(file, true)).toThrow(/writable by others/);
  });

  test.skipIf(process.geteuid?.() !== 0)('one of another user (needs root)', () => {
    writeFileSync(file, '', { mode: 0o600 });
    chownSync(file, 65_534, 65_534);
    expect(() => auditFile(file, true)).toThrow(/no audit file/);
  });
});
