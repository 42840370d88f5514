import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod/v4';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const room = mkdtempSync(join(tmpdir(), 'tracewright-npx-'));
afterAll(() => rmSync(room, { recursive: true, force: true, maxRetries: 5 }));
let tarball = '';

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/setup.mjs'], { stdio: 'inherit' });
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', room];
  const [{ filename }] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' }));
  tarball = join(room, filename);
});

function npx(folder: string, ...words: string[]) {
  const options = ['--yes', '--offline', '--cache', join(room, 'cache'), '-p', tarball];
  return spawnSync('npx', [...options, 'tracewright', ...words], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 200_000,
  });
}

test('npx runs the tarball in an empty folder, without network, within a minute', () => {
  const folder = join(room, 'empty');
  mkdirSync(folder);
  const begun_ms = performance.now();
  const { stdout, status } = npx(folder, 'read', 'topology://info');
  const took_s = (performance.now() - begun_ms) / 1000;
  console.error(`npx from the tarball to the first answer: ${took_s.toFixed(1)} s`);
  expect(status).toBe(0);
  expect(stdout).toMatch(/CPUs? online/);
  // Some seconds on a machine at rest; the bound is for one that is not.
  expect(took_s).toBeLessThan(60);
  expect(readdirSync(folder)).toEqual([]);
});

test('config says that a copy in the cache of npx may go', () => {
  const { stdout } = npx(room, 'config', 'generic');
  expect(stdout).toContain('npm install -g tracewright');
});

const Entry = z.object({
  $schema: z.literal(
    'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  ),
  name: z.string().regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  packages: z.array(z.looseObject({ identifier: z.string(), version: z.string() })).length(1),
});

test('the entry for the registry is of its form and names this package', () => {
  const entry = Entry.parse(JSON.parse(readFileSync('server.json', 'utf8')));
  const { name, version, mcpName } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(entry.name).toBe(mcpName);
  expect(entry.packages).toMatchObject([{ identifier: name, version }]);
  expect(entry.version).toBe(version);
});

test('the notices hold the licence of each package that is in the bundle', () => {
  const notices = readFileSync('dist/THIRD_PARTY_NOTICES.txt', 'utf8').split(/^-{80}$/m);
  for (const notice of notices) expect(notice).toMatch(/(?:licen[cs]e|permission)/i);
  for (const name of ['zod', '@modelcontextprotocol/server', 'jsonc-parser']) {
    expect(notices.some((notice) => notice.trim().startsWith(`${name} `))).toBe(true);
  }
});

test('every command in the skill is one that the program takes', () => {
  const skill = readFileSync('skills/tracewright/SKILL.md', 'utf8');
  expect(skill).toMatch(/^---\nname: tracewright\ndescription: .{50,1024}\n---\n/);
  const calls = [...skill.matchAll(/tracewright call (\w+)([^`\n]*)/g)];
  const tools = JSON.parse(
    execFileSync(process.execPath, ['dist/cli.js', 'tools', '--json'], { encoding: 'utf8' }),
  ).tools;
  expect(calls.length).toBeGreaterThan(5);
  for (const [, name, words = ''] of calls) {
    const tool = tools.find((each: { name: string }) => each.name === name);
    expect(tool, name).toBeDefined();
    for (const word of words
      .trim()
      .split(' ')
      .filter((each) => each.includes('='))) {
      expect(Object.keys(tool.inputSchema.properties), word).toContain(word.split('=')[0]);
    }
  }
  for (const [, uri = ''] of skill.matchAll(/tracewright read '?([^'`\s]+)/g)) {
    const { status } = spawnSync(process.execPath, ['dist/cli.js', 'read', uri], {
      timeout: 60_000,
    });
    expect(status, uri).toBe(0);
  }
});
