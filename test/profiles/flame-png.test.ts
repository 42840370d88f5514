import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { glyphPoints } from '../../src/profiles/bitmap-font.ts';
import { kindColour } from '../../src/profiles/flame-colours.ts';
import { flamePicture } from '../../src/profiles/flame-picture.ts';
import { flamePng } from '../../src/profiles/flame-png.ts';
import { type Browser, hasChromium, startBrowser } from './browser.ts';
import { manyStacks, profileOf } from './sample-profile.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const most_bytes = 300_000;
const profile = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 60 },
  { stack: 'main;read;sys_read_[k]', weight: 40 },
]);
const deep = profileOf([
  { stack: Array.from({ length: 900 }, (_, at) => `f${at}`).join(';'), weight: 1 },
]);
const hostile = profileOf(
  ['\u0000\u001b[31m', '<script>', '\u202eevil', '😀'.repeat(5000), '$'.repeat(10_000)].map(
    (stack) => ({ stack, weight: 1, comm: stack }),
  ),
);

const size = (file: Uint8Array): readonly [number, number] => {
  const { buffer, byteOffset } = file;
  const view = new DataView(buffer, byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

test.each([
  ['two stacks', profile],
  ['900 levels', deep],
  ['100,000 stacks', manyStacks(100_000)],
  ['names that do harm', hostile],
  ['nothing', profileOf([])],
])('a picture of %s stays within 300 kB and 1200 x 1500 points', (_, given) => {
  const file = flamePng(flamePicture(given, 'A title that is too long '.repeat(20)), most_bytes);
  const [width, height] = size(file);
  expect(file.length).toBeLessThanOrEqual(most_bytes);
  expect(width).toBe(1200);
  expect(height).toBeGreaterThan(40);
  expect(height).toBeLessThanOrEqual(1500);
});

test('fewer boxes are drawn where the file has to be small', () => {
  const picture = flamePicture(manyStacks(20_000), 'many');
  const whole = flamePng(picture, most_bytes);
  expect(flamePng(picture, 2500).length).toBeLessThan(whole.length);
});

test('each printable character looks like no other, what is not printable like a question mark', () => {
  const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at));
  const shapes = printable.map((character) => JSON.stringify(glyphPoints(character)));
  expect(new Set(shapes).size).toBe(95);
  for (const other of ['é', '\u0001', '\u007f', '文']) {
    expect(glyphPoints(other)).toEqual(glyphPoints('?'));
  }
});

/** Runs in the browser. */
const pointsOf = `async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement('canvas');
  const { naturalWidth: width, naturalHeight: height } = image;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const hex = (at) =>
    '#' + [...data.slice(at, at + 3)].map((part) => part.toString(16).padStart(2, '0')).join('');
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => hex((y * width + x) * 4)),
  );
}`;

describe.skipIf(!hasChromium)(`in a browser${hasChromium ? '' : ' (needs chromium)'}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => await browser?.close());

  test('it has the colours of the frames where the frames are, and ink for their names', async () => {
    const file = flamePng(flamePicture(profile, 'A profile'), most_bytes);
    const page = await browser.page();
    const url = `data:image/png;base64,${Buffer.from(file).toString('base64')}`;
    const rows = await page.evaluate<string[][]>(`(${pointsOf})(${JSON.stringify(url)})`);
    const [height, width] = [rows.length, rows[0]?.length ?? 0];
    expect([width, height]).toEqual(size(file));
    const colourAt = (x: number, level: number) => rows[height - 8 - level * 14 - 3]?.[x];
    const full = (short: string) => short.replace(/(?<=^#.*)[0-9a-f]/g, (digit) => digit + digit);
    // all, prog, main, then 60 % work below hash beside 40 % read below sys_read.
    expect(colourAt(1100, 2)).toBe(full(kindColour('user', 'main')));
    expect(colourAt(600, 4)).toBe(full(kindColour('user', 'hash')));
    expect(colourAt(1100, 4)).toBe(full(kindColour('kernel', 'sys_read')));
    const inked = rows.slice(height - 22, height - 8).flat();
    expect(inked.filter((colour) => colour === '#222222').length).toBeGreaterThan(20);
  });
});
