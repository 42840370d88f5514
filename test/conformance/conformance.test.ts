import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import { buildServer } from '../../src/server.ts';
import { conformanceCommandLine } from '../clients/conformance.ts';
import { serveHttp } from './http-server.ts';

// The server is the product's; its lists get, beside all of ours, what the suite asks for by name.
vi.mock('../../src/tools/index.ts', async (original) => {
  const { tools } = await original<typeof import('../../src/tools/index.ts')>();
  const more = await import('./fixtures.ts');
  return { tools: [...tools, ...more.tools] };
});
vi.mock('../../src/resources/index.ts', async (original) => {
  const { resources } = await original<typeof import('../../src/resources/index.ts')>();
  const more = await import('./fixtures.ts');
  return { resources: [...resources, ...more.resources] };
});
vi.mock('../../src/prompts/index.ts', async (original) => {
  const { prompts } = await original<typeof import('../../src/prompts/index.ts')>();
  const more = await import('./fixtures.ts');
  return { prompts: [...prompts, ...more.prompts] };
});

const room = mkdtempSync(join(tmpdir(), 'tracewright-conformance-'));
let server: Awaited<ReturnType<typeof serveHttp>>;
beforeAll(async () => {
  const ctx = createContext({ daemon: true, readOnly: false, stateFolder: join(room, 'state') });
  // Any URI may be watched: the one that the suite watches is not of this host.
  const watched = new Set<string>();
  const subscriptions = {
    open: (key: string) => Promise.resolve(void watched.add(key)),
    close: (key: string) => Promise.resolve(void watched.delete(key)),
    closeAll: () => Promise.resolve(watched.clear()),
  };
  server = await serveHttp(() => buildServer(ctx, { readOnly: false }, subscriptions));
});
afterAll(async () => {
  await server.close();
  rmSync(room, { recursive: true });
});

describe.each(['2025-11-25', '2026-07-28'])('the official suite for %s', (revision) => {
  const expected = `test/conformance/expected-failures-${revision}.yml`;

  test('fails for what is not offered and for nothing else', async () => {
    const { status, said } = await runSuite([
      ...['--url', server.url, '--requirements', revision, '--timeout', '60000'],
      ...['--expected-failures', expected, '--output-dir', join(room, revision)],
    ]);
    expect(status, said.slice(said.indexOf('=== SUMMARY'))).toBe(0);
    const scenarios = [...said.matchAll(/^([✓✗]) [\w-]+: \d+ passed/gm)].map(([, mark]) => mark);
    const passed = scenarios.filter((mark) => mark === '✓').length;
    expect(passed).toBeGreaterThan(15);
    console.log(
      `conformance ${revision}: ${passed} of ${scenarios.length} scenarios passed; ${expected} says why the rest does not`,
    );
  }, 240_000);

  test('every expected failure has its reason', () => {
    const entries = readFileSync(expected, 'utf8')
      .split('\n')
      .filter((line) => line.includes('- '));
    expect(entries.length).toBeGreaterThan(0);
    for (const line of entries) expect(line).toMatch(/^ {2}- [\w:-]+ # \w.{6}/);
  });
});

async function runSuite(args: readonly string[]) {
  const [node, script] = conformanceCommandLine();
  const child = spawn(node, [script, 'server', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const status = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, said: stdout + stderr };
}
