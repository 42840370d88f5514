// stats://aggregated/process on a host with 100,000 processes: time, memory and size of the answer,
// beside a loop that only reads every stat file twice. Run: node bench/process-scan.mjs [processes]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget = { ms: 3000, rss_mb: 250, tokens: 10_000 };
const busy_every = 500;

const [first = '100000', bundle, root] = process.argv.slice(2);
if (first === 'collect') await measureCollector(bundle, root);
else if (first === 'read') measureReading(root);
else await compare(Number(first));

async function compare(processes) {
  const scratch = mkdtempSync(join(tmpdir(), 'process-scan-'));
  const bundle = join(scratch, 'bundle.mjs');
  await bundled(
    `export { createContext } from './src/context.ts';
      export { resourceDocument } from './src/answer.ts';
      export { aggregatedProcess } from './src/resources/aggregated-process.ts';
      export { fakeProc } from './test/fake-proc.ts';`,
    bundle,
  );
  const { fakeProc } = await import(pathToFileURL(bundle).href);
  // A file system in memory, as /proc is.
  const host = fakeProc(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  try {
    for (let pid = 1; pid <= processes; pid++) {
      const write = pid % busy_every === 0 ? host.write : host.writeStat;
      write({ pid, comm: `worker-${pid}`, starttime_ticks: 1000 + pid, cgroup: '/system.slice' });
    }
    const reading = child('read', bundle, host.root);
    const collecting = child('collect', bundle, host.root);
    report(processes, reading, collecting);
  } finally {
    host.dispose();
    rmSync(scratch, { recursive: true });
  }
}

// A process of its own for each side, so that memory is that of one side alone.
function child(side, bundle, root) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), side, bundle, root],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function measureReading(root) {
  const started = performance.now();
  let bytes = 0;
  for (let pass = 0; pass < 2; pass++) {
    for (const pid of readdirSync(join(root, 'proc'))) {
      bytes += readFileSync(join(root, 'proc', pid, 'stat'), 'utf8').length;
    }
  }
  if (bytes === 0) throw new Error('nothing was read');
  console.log(JSON.stringify({ ms: performance.now() - started, rss_mb: peakMb() }));
}

async function measureCollector(bundle, root) {
  const { aggregatedProcess, createContext, resourceDocument } = await import(
    pathToFileURL(bundle).href
  );
  const ctx = createContext({ daemon: false, readOnly: false }, root);
  const call = { signal: new AbortController().signal, progress() {} };
  const started = performance.now();
  const reading = await aggregatedProcess.read({}, ctx, call);
  const ms = performance.now() - started;
  const tokens = JSON.stringify(resourceDocument(reading, ctx)).length / 4;
  const largest = await aggregatedProcess.read({ limit: '200', sort: 'migrations' }, ctx, call);
  const most_tokens = JSON.stringify(resourceDocument(largest, ctx)).length / 4;
  const shown = reading.data.total_processes;
  console.log(JSON.stringify({ ms, rss_mb: peakMb(), tokens, most_tokens, shown }));
}

function peakMb() {
  return process.resourceUsage().maxRSS / 1024;
}

function report(processes, reading, collecting) {
  const line = (name, value, most, unit) => {
    const verdict = value <= most ? 'within' : 'OVER';
    console.log(`${name.padEnd(28)} ${value.toFixed(0)} ${unit}, ${verdict} the budget of ${most}`);
    if (value > most) process.exitCode = 1;
  };
  console.log(`${collecting.shown} of ${processes} processes found`);
  console.log(
    `${'read every stat file twice'.padEnd(28)} ${reading.ms.toFixed(0)} ms, ${reading.rss_mb.toFixed(0)} MB`,
  );
  line('whole answer', collecting.ms, budget.ms, 'ms');
  line('peak memory', collecting.rss_mb, budget.rss_mb, 'MB');
  line('default answer', collecting.tokens, budget.tokens, 'tokens');
  line('largest answer', collecting.most_tokens, budget.tokens, 'tokens');
  console.log(
    `${'ratio to plain reading'.padEnd(28)} ${(collecting.ms / reading.ms).toFixed(2)} x`,
  );
}
