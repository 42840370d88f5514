import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { clients } from '../../src/cli/config/clients.ts';
import { entryOf, installLink, shellWords, snippet, wayOf } from '../../src/cli/config/entry.ts';

vi.setConfig({ testTimeout: 120_000 });

const home = mkdtempSync(join(tmpdir(), 'tracewright-home-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, '.cursor'));

function config(...words: string[]) {
  return spawnSync(process.execPath, ['dist/cli.js', 'config', ...words], {
    encoding: 'utf8',
    timeout: 100_000,
    env: { PATH: process.env['PATH'], HOME: home },
  });
}

const bundle = resolve('dist/cli.js');

describe.each(clients)('$name', (client) => {
  test('is told the paths of Node.js and of this package', () => {
    const { stdout, status } = config(client.name, '--via', 'direct');
    expect(status).toBe(0);
    expect(stdout).toContain(process.execPath);
    expect(stdout).toContain(bundle);
    expect(stdout).toContain(client.key);
  });

  test('tells a program the same', () => {
    const told = JSON.parse(config(client.name, '--via', 'direct', '--json').stdout);
    expect(told).toMatchObject({
      client: client.name,
      entry: { command: process.execPath, args: [bundle, 'mcp', '--daemon'] },
    });
  });
});

test('what is written is what the check starts, and it answers', () => {
  const written = config('cursor', '--write', '--via', 'direct');
  expect(written.stderr).toBe('');
  expect(written.stdout).toContain(join(home, '.cursor/mcp.json'));
  const { stdout, status } = config('cursor', '--check');
  expect(status).toBe(0);
  expect(stdout).toMatch(/answers: tracewright \S+, protocol 20\S+, \d+ tools/);
});

test.each([
  ['a program that is not there', { command: '/nonexistent/node', args: [] }, /ENOENT/],
  [
    'a program that ends at once',
    { command: 'sh', args: ['-c', 'echo broken >&2; exit 3'] },
    /broken/,
  ],
])('a check of %s fails with what it said and what to do', (_what, entry, said) => {
  const file = join(home, '.cursor/mcp.json');
  writeFileSync(file, JSON.stringify({ mcpServers: { tracewright: entry } }));
  const { stderr, status } = config('cursor', '--check');
  expect(status).toBe(1);
  expect(stderr).toMatch(said);
  expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2);
});

test.each([
  [[], 'Which client?'],
  [['emacs'], 'There is no client "emacs"'],
  [['zed', '--via', 'telnet'], 'not one of direct, sudo, ssh'],
  [['zed', '--via', 'ssh'], 'needs the name of this machine'],
  [['zed', '-oProxyCommand=x', '--via', 'ssh'], 'There is no option -o'],
])('%j is wrong usage', (words, message) => {
  const { stderr, status } = config(...words);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

test('a host that ssh would take for an option is refused', () => {
  expect(() => wayOf('ssh', '-oProxyCommand=x', false)).toThrow('not a host');
});

test('over ssh the command is one word that the shell there takes apart again', () => {
  const { command, args } = entryOf({ via: 'ssh', host: 'me@server' }, true);
  expect(command).toBe('ssh');
  expect(args.at(-2)).toBe('me@server');
  expect(args.at(-1)).toMatch(/^sudo -n \S+ \S+ mcp --daemon$/);
});

test('words with blanks, quotes and dollars survive a shell', () => {
  const words = ['a b', "it's", '$HOME', '', '*'];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${shellWords(words)}`], {
    encoding: 'utf8',
  });
  expect(stdout).toBe(`${words.join('\n')}\n`);
});

test('links carry the entry in the form that each client decodes', () => {
  const entry = { command: 'node', args: ['a b', 'mcp'] };
  const [vscode, cursor] = ['vscode', 'cursor'].map((name) => {
    const client = clients.find((each) => each.name === name);
    return client ? new URL(installLink(client, entry) ?? '') : new URL('none:');
  });
  expect(JSON.parse(decodeURIComponent(vscode?.search.slice(1) ?? ''))).toEqual({
    name: 'tracewright',
    ...entry,
  });
  const base64 = cursor?.searchParams.get('config') ?? '';
  expect(JSON.parse(Buffer.from(base64, 'base64').toString())).toEqual(entry);
});

test('TOML for Codex has its strings escaped', () => {
  const codex = clients.find((each) => each.name === 'codex');
  if (!codex) throw new Error('no Codex');
  expect(snippet(codex, { command: 'C:\\node', args: ['a"b'] })).toBe(
    '[mcp_servers.tracewright]\ncommand = "C:\\\\node"\nargs = ["a\\"b"]',
  );
});

test('the comments of a settings file stay where they are', () => {
  const folder = join(home, '.config/zed');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'settings.json'), '// Zed\n{\n  "theme": "One", // mine\n}\n');
  expect(config('zed', '--write', '--via', 'direct').status).toBe(0);
  expect(readFileSync(join(folder, 'settings.json'), 'utf8')).toMatch(
    /^\/\/ Zed\n\{\n {2}"context_servers": \{[\s\S]*\},\n {2}"theme": "One", \/\/ mine\n\}\n$/,
  );
});

const isRoot = process.geteuid?.() === 0;

test.skipIf(!isRoot)(
  `root leaves the file of another user alone (${isRoot ? 'root' : 'needs root'})`,
  () => {
    const folder = join(home, '.gemini');
    mkdirSync(folder);
    const file = join(folder, 'settings.json');
    writeFileSync(
      file,
      JSON.stringify({ mcpServers: { tracewright: { command: 'touch', args: ['x'] } } }),
    );
    chownSync(file, 65534, 65534);
    for (const word of ['--write', '--check']) {
      const { stderr, status } = config('gemini', word);
      expect(status).toBe(1);
      expect(stderr).toContain("is not root's, so root leaves it alone");
    }
    expect(JSON.parse(readFileSync(file, 'utf8')).mcpServers.tracewright.command).toBe('touch');
  },
);
