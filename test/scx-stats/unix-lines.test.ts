import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type UnixLines, unixLines } from '../../src/sockets/unix-lines.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { bundled } from '../bundled.ts';
import { fakeScheduler } from './fake-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let path = '';
let next = 0;
beforeEach(() => {
  path = join(folder, `${next++}`);
});

const stats = '{"req":"stats"}';

/** A peer that does with each connection what it is told. */
async function peer(serve: (socket: Socket) => void): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

async function whyNot(lines: UnixLines): Promise<string> {
  const reply = await lines.request(stats);
  return reply.ok ? 'replied' : reply.why;
}

describe('requests over a Unix socket', () => {
  test('a line that comes byte by byte is whole, in characters of several bytes too', async () => {
    await peer((socket) => {
      const bytes = Buffer.from('{"name":"Größe €"}\n');
      socket.once('data', async () => {
        for (const byte of bytes) {
          socket.write(Buffer.from([byte]));
          await delay(1);
        }
      });
    });
    const reply = await unixLines(path).request(stats);
    expect(reply).toEqual({ ok: true, line: '{"name":"Größe €"}' });
  });

  test('requests on one connection are answered one after another', async () => {
    const scheduler = await fakeScheduler(path);
    const lines = unixLines(path);
    for (const _ of [1, 2, 3]) expect((await lines.request(stats)).ok).toBe(true);
    expect(scheduler.connections().ever).toBe(1);
    lines.close();
    await scheduler.stop();
  });

  test('no file, no listener, no right and no socket are told apart', async () => {
    expect(await whyNot(unixLines(path))).toBe('missing');
    expect(await whyNot(unixLines(join(path, 'below')))).toBe('missing');
    const scheduler = await fakeScheduler(path);
    await scheduler.stop();
    expect(await whyNot(unixLines(path))).toBe('refused');
    const file = `${path}-file`;
    writeFileSync(file, '');
    expect(await whyNot(unixLines(file))).toBe('refused');
  });

  test.skipIf(!mayBecomeNobody)(
    'a socket of another user is denied (needs root and seteuid)',
    async () => {
      await peer(() => {});
      chmodSync(path, 0o755);
      chmodSync(folder, 0o755);
      becomeNobody();
      try {
        expect(await whyNot(unixLines(path))).toBe('denied');
      } finally {
        becomeRoot();
      }
    },
  );

  test('a peer that closes in the middle of a line has ended', async () => {
    const scheduler = await fakeScheduler(path);
    scheduler.tear(1);
    const lines = unixLines(path);
    const reply = await lines.request(stats);
    expect(reply).toMatchObject({ ok: false, why: 'ended' });
    expect(lines.open()).toBe(false);
    await scheduler.stop();
  });

  test('a peer that ends between two requests is noticed before the next one', async () => {
    const scheduler = await fakeScheduler(path);
    const lines = unixLines(path);
    await lines.request(stats);
    await scheduler.stop();
    await expect.poll(() => lines.open()).toBe(false);
    expect(await whyNot(lines)).toBe('ended');
  });

  test('a late answer closes the connection, so that it answers no later request', async () => {
    const scheduler = await fakeScheduler(path);
    const lines = unixLines(path, { timeout_ms: 50, line_bytes: 1000, idle_ms: 1000 });
    const slow = '{"req":"stats","args":{"target":"slow","ms":"200"}}';
    expect(await lines.request(slow)).toMatchObject({ ok: false, why: 'timeout' });
    expect(lines.open()).toBe(false);
    await scheduler.stop();
  });

  test('a line above the cap is given up, whether its end comes or not', async () => {
    const bounds = { timeout_ms: 2000, line_bytes: 1000, idle_ms: 1000 };
    await peer((socket) => {
      socket.once('data', () => socket.write(`${'x'.repeat(1001)}\n`));
    });
    expect(await whyNot(unixLines(path, bounds))).toBe('too_long');
    path = `${path}-endless`;
    await peer((socket) => {
      socket.once('data', () => {
        const flood = (): void => {
          if (!socket.destroyed) socket.write('x'.repeat(600), flood);
        };
        flood();
      });
    });
    expect(await whyNot(unixLines(path, bounds))).toBe('too_long');
  });

  test('more than was asked for breaks the connection instead of the order', async () => {
    await peer((socket) => socket.once('data', () => socket.write('{}\n{}\n')));
    expect(await whyNot(unixLines(path))).toBe('failed');
  });

  test('a canceled request ends at once', async () => {
    const scheduler = await fakeScheduler(path);
    const cancel = new AbortController();
    const lines = unixLines(path);
    const slow = '{"req":"stats","args":{"target":"slow","ms":"5000"}}';
    const reply = lines.request(slow, { signal: cancel.signal });
    const started_ms = performance.now();
    setTimeout(() => cancel.abort(), 20);
    expect(await reply).toMatchObject({ ok: false, why: 'canceled' });
    expect(performance.now() - started_ms).toBeLessThan(5000);
    await scheduler.stop();
  });

  test('an open connection does not keep the process alive', async () => {
    const scheduler = await fakeScheduler(path);
    const script = `${path}.mjs`;
    await bundled(
      `import { unixLines } from './src/sockets/unix-lines.ts';
      const reply = await unixLines(process.argv[2]).request('{"req":"stats"}');
      console.log(reply.ok);`,
      script,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [script, path], {
      timeout: 10_000,
    });
    expect(stdout).toBe('true\n');
    await scheduler.stop();
  });

  test('a connection closes itself when idle', async () => {
    const scheduler = await fakeScheduler(path);
    const lines = unixLines(path, { timeout_ms: 2000, line_bytes: 1e6, idle_ms: 30 });
    await lines.request(stats);
    expect(lines.open()).toBe(true);
    await expect.poll(() => lines.open()).toBe(false);
    await expect.poll(() => scheduler.connections().open).toBe(0);
    await scheduler.stop();
  });
});
