import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { createContext } from '../../src/context.ts';
import { ownToken, tokenFrom } from '../../src/transport/http-token.ts';
import { v2HttpClient } from '../mcp/connect-http.ts';
import { startHttp } from './http-started.ts';

const hasPerf = !(
  'problem' in createContext({ daemon: false, readOnly: false }).find(programs.perf)
);
const folder = mkdtempSync(join(tmpdir(), 'tracewright-token-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Processes whose command line names the scratch folder of that server. */
function childrenOf(server: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.some((word) => new RegExp(`/tracewright-\\d+-${server}-`).test(word));
    } catch {
      return false;
    }
  });
}

test.skipIf(!hasPerf).each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'after %s of the server nothing that it started is left (needs perf)',
  async (signal) => {
    const { child, pid, url, token, exited } = await startHttp('--daemon');
    const client = await v2HttpClient(url, token, 'modern');
    const started = await client.callTool({
      name: 'start_perf_profiling',
      arguments: { pid: process.pid, duration_secs: 60 },
    });
    expect(started.isError).toBeFalsy();
    expect(childrenOf(pid)).not.toEqual([]);
    child.kill(signal);
    await exited;
    expect(child.exitCode).toBe(signal === 'SIGKILL' ? null : 0);
    await expect.poll(() => childrenOf(pid), { timeout: 10_000 }).toEqual([]);
  },
);

test('a call that runs when the server is asked to end is answered first', async () => {
  const { child, url, token, exited } = await startHttp();
  const client = await v2HttpClient(url, token, 'legacy');
  const uri = 'stats://system/cpu?window_ms=4000';
  let isHeard = (): void => {};
  const heard = new Promise<void>((resolve) => {
    isHeard = resolve;
  });
  const slow = client.readResource({ uri }, { onprogress: () => isHeard() });
  await heard;
  child.kill('SIGTERM');
  expect((await slow).contents).toHaveLength(1);
  await exited;
  expect(child.exitCode).toBe(0);
});

test('a second signal ends the server at once', async () => {
  const { child, url, token, exited, said } = await startHttp();
  const client = await v2HttpClient(url, token, 'legacy');
  const slow = client.readResource({ uri: 'stats://system/cpu?window_ms=10000' }).catch(() => null);
  await client.listPrompts();
  child.kill('SIGTERM');
  await expect.poll(said, { timeout: 10_000 }).toContain('ending');
  child.kill('SIGTERM');
  await exited;
  expect(child.exitCode).toBe(143);
  await client.close();
  await slow;
});

const serve = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['dist/cli.js', 'mcp', '--http', '--state-dir', folder, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  });

test('a port that is taken, an origin that is none and a wrong port fail the start', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const taken = Object(other.address())['port'];
  const { status, stderr } = serve('--port', `${taken}`);
  other.close();
  expect(status).toBe(2);
  expect(stderr).toContain('--port');
  expect(serve('--port', '99999').status).toBe(2);
  expect(serve('--port', '0', '--allow-origin', 'localhost').stderr).toContain('http://');
});

test('beyond loopback there is a warning', async () => {
  const { url, token, said } = await startHttp('--host', '0.0.0.0');
  expect(said()).toContain('not encrypted');
  const { port } = new URL(url);
  const client = await v2HttpClient(`http://127.0.0.1:${port}/mcp`, token, 'modern');
  expect((await client.listPrompts()).prompts).not.toEqual([]);
  await client.close();
});

test('it is reached on both loopback addresses where the host has both', async () => {
  const { said, token } = await startHttp();
  for (const [url] of said().matchAll(/http:\S+\/mcp/g)) {
    const client = await v2HttpClient(url, token, 'modern');
    expect((await client.listTools()).tools).not.toEqual([]);
    await client.close();
  }
});

const file = (name: string, text = 'a-token-of-32-letters-or-so-1234'): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

test('a token file that others can read or replace is refused', () => {
  const good = file('good');
  expect(tokenFrom(good).matches('Bearer a-token-of-32-letters-or-so-1234')).toBe(true);
  const open = file('open');
  chmodSync(open, 0o640);
  expect(() => tokenFrom(open)).toThrow('can be read by others');
  symlinkSync(good, join(folder, 'link'));
  expect(() => tokenFrom(join(folder, 'link'))).toThrow('is a link');
  expect(() => tokenFrom(folder)).toThrow('no plain file');
  expect(() => tokenFrom(join(folder, 'none'))).toThrow('ENOENT');
  expect(() => tokenFrom(file('short', 'secret'))).toThrow('24 to 512');
  expect(() => tokenFrom(file('long', 'x'.repeat(5000)))).toThrow('longer than');
  expect(serve('--token-file', open).stderr).toContain('openssl rand');
});

test('no other value than the token itself matches', () => {
  const token = tokenFrom(file('exact'));
  const value = 'a-token-of-32-letters-or-so-1234';
  for (const wrong of ['', 'Bearer', 'Bearer ', value, `Basic ${value}`, `Bearer ${value}x`]) {
    expect(token.matches(wrong)).toBe(false);
  }
  expect(token.matches(`bearer ${value}`)).toBe(true);
});

test('the token of a user stays the same until the file is removed', () => {
  const own = join(folder, 'state');
  const { path } = ownToken(own);
  const first = readFileSync(path, 'utf8');
  ownToken(own);
  expect(readFileSync(path, 'utf8')).toBe(first);
  rmSync(path);
  ownToken(own);
  expect(readFileSync(path, 'utf8')).not.toBe(first);
  expect(readdirSync(own)).toEqual(['http-token']);
});
