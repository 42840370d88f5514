import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const chromiumPath = '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);

/** The background services of the browser would look for hosts that a closed network refuses. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export type Browser = Readonly<{
  page(): Promise<Page>;
  close(): Promise<void>;
}>;

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'tracewright-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    headless: true,
    args: flags,
    viewport: { width: 1200, height: 700 },
    timeout: 60_000,
  });
  return {
    page: () => context.newPage(),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export type Served = Readonly<{ type: string; body: string | Uint8Array }>;

/** Serves what `find` gives for a path on the loopback interface. */
export async function serve(find: (path: string) => Served | null) {
  const server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const found = find(path);
    // Browsers ask for an icon by themselves.
    response.writeHead(found ? 200 : path === '/favicon.ico' ? 204 : 404, {
      'content-type': found?.type ?? 'text/plain',
      'access-control-allow-origin': '*',
    });
    response.end(found?.body ?? '');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise<void>((done) => server.close(() => done())),
  };
}
