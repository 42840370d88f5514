import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, describe, expect, test } from 'vitest';
import { type Client, clients } from '../../src/cli/config/clients.ts';
import { readEntry, writeEntry } from '../../src/cli/config/config-file.ts';

const room = mkdtempSync(join(tmpdir(), 'tracewright-config-'));
afterAll(() => rmSync(room, { recursive: true, force: true }));

const entry = { command: '/usr/bin/node', args: ['/opt/dist/cli.js', 'mcp', '--daemon'] };
let count = 0;
const fileWith = (text: string): string => {
  const file = join(room, `${count++}.json`);
  writeFileSync(file, text);
  return file;
};

function clientNamed(name: string): Client {
  const client = clients.find((each) => each.name === name);
  if (!client) throw new Error(`no client ${name}`);
  return client;
}
const vscode = clientNamed('vscode');
const cursor = clientNamed('cursor');

/** Files as people have them, for a client that takes comments. */
const lenient: Readonly<Record<string, string>> = {
  'comments and trailing commas':
    '// top\n{\n\t// mine\n\t"servers": { // here\n\t\t"other": {"command": "x"}, // keep\n\t},\n}\n',
  'lines that end as on Windows':
    '{\r\n    "servers": {\r\n        "a": { "command": "b" }\r\n    }\r\n}\r\n',
  'all in one line': '{"servers": {"a": {"command": "b"}}, "inputs": []}',
  'no servers yet': '{\n  "inputs": []\n}\n',
  'an empty object of servers': '{ "servers": {} }',
  'an object with nothing but a comment': '{\n  /* nothing\n     yet */\n}\n',
  'a byte order mark': '\uFEFF{\n  "servers": { "a": { "command": "b" } }\n}\n',
};

/** Whether every character of the one is in the other, in its order; blanks aside. */
function isWithin(part: string, whole: string): boolean {
  let at = 0;
  for (const char of whole) if (char === part.replaceAll(/\s/g, '')[at]) at++;
  return at === part.replaceAll(/\s/g, '').length;
}

describe.each(Object.entries(lenient))('a file with %s', (_what, text) => {
  test('gets the entry and keeps everything that was there, in its order', () => {
    const file = fileWith(text);
    expect(writeEntry(file, vscode, entry)).toMatchObject({ change: 'changed' });
    const after = readFileSync(file, 'utf8');
    const before = parse(text.replace('\uFEFF', ''));
    const now = parse(after.replace('\uFEFF', ''));
    expect(now).toEqual({
      ...before,
      servers: { ...before.servers, tracewright: { type: 'stdio', ...entry } },
    });
    for (const comment of text.match(/\/\/[^\r\n]*|\/\*[^*]*\*\//g) ?? [])
      expect(after).toContain(comment);
    expect(isWithin(text, after)).toBe(true);
    expect(after.includes('\r\n')).toBe(text.includes('\r\n'));
    expect(after.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'));
  });

  test('is not changed a second time', () => {
    const file = fileWith(text);
    writeEntry(file, vscode, entry);
    const once = readFileSync(file, 'utf8');
    expect(writeEntry(file, vscode, entry)).toEqual({ file, change: 'none', backup: null });
    expect(readFileSync(file, 'utf8')).toBe(once);
    expect(readEntry(file, vscode)).toEqual(entry);
  });
});

describe('an entry that is there already', () => {
  const text = '{"mcpServers": {"tracewright": {"command": "old", "env": {"A": "1"}, "args": []}}}';

  test('gets the new command, and keeps what people added to it', () => {
    const file = fileWith(text);
    writeEntry(file, cursor, entry);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      mcpServers: { tracewright: { ...entry, env: { A: '1' } } },
    });
  });
});

test.each([
  ['a missing brace', '{"mcpServers": {'],
  ['a comment, which this client does not take', '{ // mine\n "mcpServers": {} }'],
  ['a trailing comma, which this client does not take', '{"mcpServers": {},}'],
  ['a list in the place of an object', '[]'],
  ['servers that are a list', '{"mcpServers": []}'],
  ['text that is no JSON', 'mcpServers = 1'],
])('a file with %s is left as it is', (_what, text) => {
  const file = fileWith(text);
  expect(() => writeEntry(file, cursor, entry)).toThrow(/does not parse/);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('the mode stays, and the file as it was is kept beside it', () => {
  const file = fileWith('{}');
  chmodSync(file, 0o640);
  const { backup } = writeEntry(file, cursor, entry);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(readFileSync(backup ?? '', 'utf8')).toBe('{}');
  expect(readdirSync(room).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a link stays a link and its target is written', () => {
  const target = fileWith('{}');
  const link = join(room, 'link.json');
  symlinkSync(target, link);
  expect(writeEntry(link, cursor, entry).file).toBe(target);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readEntry(target, cursor)).toEqual(entry);
});

test('a new file is for its owner alone', () => {
  const file = join(room, 'new.json');
  expect(writeEntry(file, cursor, entry)).toEqual({ file, change: 'created', backup: null });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('no folder is made for a client that is not here', () => {
  const file = join(room, 'absent/mcp.json');
  expect(() => writeEntry(file, cursor, entry)).toThrow(/seems not to be installed/);
  expect(existsSync(join(room, 'absent'))).toBe(false);
});
