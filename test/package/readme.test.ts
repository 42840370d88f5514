import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
  ([, kind = '', text = '']) => ({
    kind,
    text,
  }),
);
const commands = blocks
  .filter(({ kind }) => kind === 'console')
  .flatMap(({ text }) => [...text.matchAll(/^\$ (.+)$/gm)].map(([, command = '']) => command));

const room = mkdtempSync(join(tmpdir(), 'tracewright-readme-'));
const app = join(room, 'app');
const bin = join(room, 'bin');
/** A process to look at, which works and sleeps by turns. */
const busy = spawn('sh', ['-c', 'while :; do :; sleep 0.01; done'], {
  stdio: 'ignore',
  detached: true,
});

/** The commands run the package as it would be installed. */
beforeAll(() => {
  chmodSync(room, 0o755);
  mkdirSync(app);
  mkdirSync(bin);
  mkdirSync(join(room, '.cursor'));
  writeFileSync(join(app, 'stacks.folded'), 'main;work 7\nmain;read 3\n');
  execFileSync(process.execPath, ['scripts/setup.mjs'], { stdio: 'inherit' });
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', room];
  const [{ filename }] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' }));
  const install = ['install', '--offline', '--ignore-scripts', '--cache', join(room, 'cache')];
  execFileSync('npm', [...install, join(room, filename)], { cwd: room, stdio: 'pipe' });
  symlinkSync(join(room, 'node_modules/.bin/tracewright'), join(bin, 'tracewright'));
  // What is not in a registry yet comes from the tarball.
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nshift 2\nexec tracewright "$@"\n', { mode: 0o755 });
});

afterAll(() => {
  if (busy.pid) process.kill(-busy.pid, 'SIGKILL');
  rmSync(room, { recursive: true, force: true, maxRetries: 5 });
});

const environment = () => ({
  PATH: `${bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:${join(process.execPath, '..')}`,
  HOME: room,
  PID: String(busy.pid),
});

/** Root on a host with the tracing tools gets everything; others are told what is missing. */
const isWhole =
  process.geteuid?.() === 0 && ['bpftrace', 'perf'].every((name) => existsSync(`/usr/bin/${name}`));

describe('the README', () => {
  test('has commands to run', () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  test.each(commands)('$ %s', (command) => {
    expect(command).toMatch(/^tracewright /);
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: app,
      env: environment(),
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (isWhole || status === 0) expect(stderr).toBe('');
    else expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2);
    if (isWhole) expect(status).toBe(0);
    else expect([0, 1]).toContain(status);
    // On a calm machine nothing waits so long.
    if (status === 0 && !command.includes(' watch ')) expect(stdout).not.toBe('');
    const [, file] = / --out (\S+)/.exec(command) ?? [];
    if (file && status === 0) expect(statSync(join(app, file)).size).toBeGreaterThan(0);
  });

  test.each(blocks.filter(({ kind }) => kind === 'json').map(({ text }) => text.trim()))(
    '%s',
    (text) => {
      const [servers] = Object.values(JSON.parse(text));
      const { command, args } = Object(servers).tracewright;
      const hello = {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'x', version: '1' },
        },
      };
      const { stdout } = spawnSync(command, args, {
        cwd: app,
        env: environment(),
        input: `${JSON.stringify(hello)}\n`,
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect(JSON.parse(stdout).result.serverInfo.name).toBe('tracewright');
    },
  );

  test('has no other kinds of blocks than those that are tested', () => {
    expect([...new Set(blocks.map(({ kind }) => kind))].sort()).toEqual([
      'console',
      'json',
      'sh',
      'toml',
    ]);
  });

  test('names commands of a checkout that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const lines = blocks
      .filter(({ kind }) => kind === 'sh')
      .flatMap(({ text }) => text.match(/^npm \w+/gm) ?? []);
    expect(lines).toEqual(['npm start', 'npm test']);
    for (const line of lines) expect(Object.keys(scripts)).toContain(line.slice('npm '.length));
  });

  test('quotes errors that the program has', () => {
    const [, section = ''] = /^## Troubleshooting$([\s\S]*?)^## /m.exec(readme) ?? [];
    const quoted = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, text = '']) => text);
    expect(quoted.length).toBeGreaterThan(7);
    const program = readFileSync('dist/cli.js', 'utf8');
    for (const text of quoted) {
      // Between the words of a template stand values.
      expect(isIn(program, text), text).toBe(true);
    }
  });

  test('names files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(
      ([, path = '']) => path,
    );
    expect(links.length).toBeGreaterThan(5);
    for (const path of new Set(links)) expect(existsSync(resolve(path)), path).toBe(true);
  });

  test('has pictures that load fast', () => {
    for (const name of readdirSync('docs/images')) {
      expect(statSync(join('docs/images', name)).size).toBeLessThanOrEqual(150_000);
    }
  });
});

/** A whole literal, or the end of one behind a value. */
function isIn(program: string, text: string): boolean {
  if (program.includes(text)) return true;
  const [, rest = ''] = /^\S+ (.+)$/.exec(text) ?? [];
  return rest.length > 12 && program.includes(` ${rest}`);
}
