// Makes docs/images from a real run on this host: as root, where perf, bpftrace and chromium are.
// Run: node scripts/screenshots.mjs
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'dist/cli.js');
const images = join(root, 'docs/images');
const room = mkdtempSync(join(tmpdir(), 'tracewright-screenshots-'));
const most_bytes = 150_000;

/** Work with names that readers know, before whatever else the machine does. */
const started = [];
function load(...words) {
  const options = { stdio: 'ignore', detached: true };
  const child = spawn('nice', ['-n', '-10', ...words], options);
  started.push(child.pid);
  return child.pid;
}
const archive = 'while :; do tar -C /usr/share -cf - doc | gzip -6 > /dev/null; done';

const pages = [
  {
    name: 'flame-graph',
    words: () => {
      const pid = load('perf', 'bench', 'sched', 'pipe', '--threaded', '--loop', '100000000');
      return ['profile', 'duration_seconds=6', `pid=${pid}`];
    },
    height: 305,
  },
  {
    name: 'report',
    words: () => {
      load('sh', '-c', archive);
      return ['report', '--seconds', '6'];
    },
    height: 840,
  },
];

for (const { name, words } of pages) {
  const out = ['--out', join(room, `${name}.html`), '--state-dir', join(room, 'state')];
  try {
    execFileSync(process.execPath, [cli, ...words(), ...out], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    for (const pid of started.splice(0)) process.kill(-pid, 'SIGKILL');
  }
}

mkdirSync(images, { recursive: true });
const browser = await chromium.launchPersistentContext(join(room, 'profile'), {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-dev-shm-usage',
  ],
  viewport: { width: 1200, height: 700 },
});
try {
  for (const { name, height } of pages) {
    const page = await browser.newPage();
    await page.setViewportSize({ width: 1200, height });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(pathToFileURL(join(room, `${name}.html`)).href);
    const path = join(images, `${name}.png`);
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${path}: ${size} bytes`);
    if (size > most_bytes) process.exitCode = 1;
  }
} finally {
  await browser.close();
  rmSync(room, { recursive: true, force: true, maxRetries: 5 });
}
