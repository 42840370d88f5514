import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { reportPage } from '../../src/report/report-page.ts';
import { sampleReport } from './sample-report.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const executablePath = '/usr/bin/chromium';
const why = existsSync(executablePath) ? 'chromium' : 'chromium is not installed';
const room = mkdtempSync(join(tmpdir(), 'tracewright-report-'));
afterAll(() => rmSync(room, { recursive: true, force: true, maxRetries: 5 }));

describe.skipIf(!existsSync(executablePath))(`a report in a browser (${why})`, () => {
  let browser: BrowserContext;
  let page: Page;
  const trouble: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    const file = join(room, 'report.html');
    writeFileSync(file, reportPage(sampleReport));
    browser = await chromium.launchPersistentContext(join(room, 'profile'), {
      executablePath,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-dev-shm-usage',
      ],
      viewport: { width: 1000, height: 800 },
      timeout: 60_000,
    });
    page = await browser.newPage();
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
  });
  afterAll(() => browser?.close());

  test('asks for nothing but itself', () => {
    expect(requests.filter((url) => !url.startsWith('data:'))).toHaveLength(1);
    expect(trouble).toEqual([]);
  });

  test('shows every part', async () => {
    expect(await page.locator('h2').allTextContents()).toEqual([
      'Findings',
      'Topology',
      'CPU use over time',
      'Latency',
      'Top processes',
      'Flame graph',
      'Not measured',
    ]);
    for (const part of ['.topology .cpu', 'svg.heat rect', 'rect.bar', '.processes tbody tr']) {
      const box = await page.locator(part).first().boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0), part).toBeGreaterThan(3);
    }
  });

  test('runs nothing that a process of the host has in its name', async () => {
    expect(await page.title()).toContain('</title></style>');
    expect(await page.locator('script').count()).toBe(0);
    expect(await page.locator('h1').count()).toBe(1);
    await page.locator('.processes td.name').first().hover();
    expect(await page.title()).not.toBe('taken');
  });

  test('does not grow wider than the window, on a telephone either', async () => {
    for (const width of [1000, 400]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      expect(wide).toBeLessThanOrEqual(width);
    }
    await page.setViewportSize({ width: 1000, height: 800 });
  });

  test('is dark where the reader wants it dark, and can be read in both', async () => {
    const colours = async (scheme: 'light' | 'dark'): Promise<readonly number[]> => {
      await page.emulateMedia({ colorScheme: scheme });
      return await page.evaluate(`(() => {
        const bright = (text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, each) => sum + Number(each), 0) / 3;
        const { color, backgroundColor } = getComputedStyle(document.body);
        return [bright(color), bright(backgroundColor)];
      })()`);
    };
    const [ink = 0, paper = 0] = await colours('light');
    expect(paper - ink).toBeGreaterThan(150);
    const [chalk = 0, board = 0] = await colours('dark');
    expect(chalk - board).toBeGreaterThan(150);
  });

  test('opens the figures behind a chart on a click', async () => {
    const details = page.locator('details').first();
    expect(await details.locator('table').isVisible()).toBe(false);
    await details.locator('summary').click();
    expect(await details.locator('table').isVisible()).toBe(true);
  });
});
