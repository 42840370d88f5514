import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { diffPicture } from '../../src/profiles/diff-picture.ts';
import { flameHtml } from '../../src/profiles/flame-html.ts';
import { flamePicture } from '../../src/profiles/flame-picture.ts';
import { flameSvg } from '../../src/profiles/flame-svg.ts';
import { speedscopeFile } from '../../src/profiles/speedscope.ts';
import { withTasks } from '../../src/profiles/with-tasks.ts';
import { type Browser, hasChromium, type Served, serve, startBrowser } from './browser.ts';
import { manyStacks, profileOf } from './sample-profile.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const why = hasChromium ? '' : ' (needs chromium)';
const options = { icicle: false, max_bytes: 5_000_000 };

const profile = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 60 },
  { stack: 'main;work;copy', weight: 15 },
  { stack: 'main;read;sys_read_[k];vfs_read_[k]', weight: 25 },
]);

const hostileNames = [
  `<script>window.pwned=1</script>`,
  `</title></svg><img src=x onerror="window.pwned=2">`,
  `" onload="window.pwned=3`,
  `' onclick='window.pwned=4`,
  `]]><script>window.pwned=5</script>`,
  `&lt;script&gt;&#60;`,
  `\u0000\u0001\u0008\u001b[31m\u007f\ufffe\ud800 control`,
  `\u202eevil\u2066`,
  '$' + '{window.pwned=6}`javascript:window.pwned=7`',
  'x'.repeat(10_000),
  '__proto__',
  'constructor',
];
const hostile = {
  ...profileOf([]),
  frames: hostileNames.map((name) => ({ name, module: name, kind: 'user' as const })),
  stacks: hostileNames.map((name, at) => ({
    frames: [at],
    comm: name,
    pid: 1,
    tid: 1,
    weight: 10,
    samples: 10,
  })),
  total: 10 * hostileNames.length,
};

const files: Record<string, () => Served> = {
  '/flame.svg': () => svg(flameSvg(flamePicture(profile, 'A profile'), options)),
  '/flame.html': () => html(flameHtml(flamePicture(profile, 'A profile'), ['one note'], options)),
  '/hostile.svg': () => svg(flameSvg(flamePicture(hostile, hostileNames[1] ?? ''), options)),
  '/hostile.html': () =>
    html(flameHtml(flamePicture(hostile, hostileNames[0] ?? ''), hostileNames, options)),
  '/many.svg': () => svg(flameSvg(flamePicture(manyStacks(100_000), 'many'), options)),
  '/diff.svg': () => svg(flameSvg(diffPicture(profile, slower, 'Before and after'), options)),
};
const slower = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 600 },
  { stack: 'main;work;copy', weight: 150 },
  { stack: 'main;slow', weight: 750 },
]);
const svg = (body: string): Served => ({ type: 'image/svg+xml', body });
const html = (body: string): Served => ({ type: 'text/html; charset=utf-8', body });

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  if (!hasChromium) return;
  browser = await startBrowser();
  site = await serve((path) => files[path]?.() ?? null);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** A page with everything that went wrong in it. */
async function open(path: string) {
  const page = await browser.page();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('dialog', (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(site.url + path);
  await page.waitForSelector('svg.flame[data-ready="1"]', { timeout: 60_000 });
  const box = (name: string) => page.locator('g.boxes > g').filter({ hasText: name }).first();
  const width = async (name: string): Promise<number> =>
    (await box(name).locator('rect').boundingBox())?.width ?? 0;
  return { page, errors, box, width };
}

/** SHOTS=folder keeps what the browser showed, for people to look at. */
const shots = process.env['SHOTS'];
async function keep(page: Awaited<ReturnType<typeof open>>['page'], name: string): Promise<void> {
  if (shots) writeFileSync(`${shots}/${name}.png`, await page.screenshot());
}

describe.skipIf(!hasChromium)(`a flame graph in a browser${why}`, () => {
  test.each(['/flame.svg', '/flame.html'])(
    '%s zooms where it is clicked, and back',
    async (path) => {
      const { page, errors, box, width } = await open(path);
      const whole = await width('all (');
      expect(await width('hash')).toBeCloseTo(whole * 0.6, -1);
      await keep(page, path.slice(1).replace('.', '-'));
      await box('work (').click();
      expect(await page.getAttribute('svg.flame', 'data-zoom')).toBe('work');
      expect(await width('work (')).toBeCloseTo(whole, -1);
      expect(await width('hash')).toBeCloseTo(whole * 0.8, -1);
      expect(await box('sys_read').isVisible()).toBe(false);
      await keep(page, `${path.slice(1).replace('.', '-')}-zoomed`);
      await page.locator('.flame-reset').click();
      expect(await width('hash')).toBeCloseTo(whole * 0.6, -1);
      expect(await box('sys_read').isVisible()).toBe(true);
      await box('hash').click();
      await page.keyboard.press('Escape');
      expect(await page.getAttribute('svg.flame', 'data-zoom')).toBe('');
      expect(errors).toEqual([]);
    },
  );

  test.each(['/flame.svg', '/flame.html'])(
    '%s finds functions and says their share',
    async (path) => {
      const { page, errors } = await open(path);
      await page.locator('.flame-search').fill('READ');
      expect(await page.locator('.flame-found').textContent()).toBe('3 boxes, 25.00 % of all');
      const marked = page.locator('g.boxes rect[fill="#d3f"]');
      expect(await marked.count()).toBe(3);
      await page.locator('.flame-search').fill('');
      expect(await marked.count()).toBe(0);
      expect(errors).toEqual([]);
    },
  );

  test('turns upside down', async () => {
    const { page, box } = await open('/flame.svg');
    const heights = async () => [
      (await box('all (').boundingBox())?.y ?? 0,
      (await box('vfs_read').boundingBox())?.y ?? 0,
    ];
    const [root = 0, leaf = 0] = await heights();
    expect(root).toBeGreaterThan(leaf);
    await page.locator('.flame-flip').click();
    const [turned = 0, below = 0] = await heights();
    expect(turned).toBeLessThan(below);
    await keep(page, 'icicle');
  });

  test.each(['/hostile.svg', '/hostile.html'])(
    '%s shows hostile names and runs none of them',
    async (path) => {
      const { page, errors } = await open(path);
      await page.locator('g.boxes > g').nth(3).click();
      await page.locator('.flame-search').fill('<script>');
      expect(await page.locator('.flame-found').textContent()).toMatch(/^[1-9]/);
      await page.keyboard.press('Escape');
      await page.locator('g.boxes > g').nth(2).hover({ force: true });
      await keep(page, path.slice(1).replace('.', '-'));
      expect(await page.evaluate('typeof window.pwned')).toBe('undefined');
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.locator('script').count()).toBe(1);
      const names = await page.locator('g.boxes > g > title').allTextContents();
      expect(names.some((name) => name.includes('<script>window.pwned=1</script>'))).toBe(true);
      expect(Math.max(...names.map((name) => name.length))).toBeLessThan(800);
      expect(errors).toEqual([]);
    },
  );

  test('of 100,000 distinct stacks opens and zooms', async () => {
    const { page, errors } = await open('/many.svg');
    await keep(page, 'many');
    await page.locator('g.boxes > g').nth(5).click();
    expect(await page.getAttribute('svg.flame', 'data-zoom')).not.toBe('');
    expect(errors).toEqual([]);
  });

  test('of a difference colours what grew red', async () => {
    const { page, box } = await open('/diff.svg');
    expect(await box('slow').locator('rect').getAttribute('fill')).toBe('#f55');
    expect(await box('slow').locator('title').textContent()).toContain(
      '0 % before, 50 % after, +50',
    );
    await keep(page, 'diff');
  });
});

describe.skipIf(!hasChromium)(`speedscope's own importer${why}`, () => {
  const app = 'node_modules/speedscope/dist/release';
  const types: Readonly<Record<string, string>> = {
    html: 'text/html',
    js: 'text/javascript',
    css: 'text/css',
    json: 'application/json',
  };

  test('reads the exported file, with the same functions and totals', async () => {
    const exported = speedscopeFile(withTasks(profile), 'A profile', 'test');
    const host = await serve((path) => {
      if (path === '/profile.speedscope.json') return { type: 'application/json', body: exported };
      const file = join(app, path === '/' ? 'index.html' : path);
      if (!file.startsWith(app) || !existsSync(file)) return null;
      return { type: types[path.split('.').at(-1) ?? ''] ?? 'text/html', body: readFileSync(file) };
    });
    try {
      const page = await browser.page();
      const address = encodeURIComponent(`${host.url}/profile.speedscope.json`);
      await page.goto(`${host.url}/#profileURL=${address}&view=sandwich`);
      await page.getByText('hash', { exact: true }).first().waitFor({ timeout: 60_000 });
      const rows = await page.locator('tr').allTextContents();
      expect(rows.find((row) => row.includes('hash'))).toMatch(/^60 \(60%\)60 \(60%\)hash/);
      expect(rows.find((row) => row.includes('vfs_read'))).toMatch(/^25 \(25%\)25 \(25%\)/);
      expect(rows.find((row) => row.includes('main'))).toMatch(/^100 \(100%\)0 \(<?0[.\d]*%\)main/);
      await keep(page, 'speedscope');
    } finally {
      await host.close();
    }
  });
});
