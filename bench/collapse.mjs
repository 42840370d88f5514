// perf script text to folded stacks, as whole processes beside stackcollapse-perf.pl and
// inferno-collapse-perf, in turn on the same files. Inputs of 100 MB and more are recorded on this
// machine once: node bench/collapse.mjs record (root, perf, two minutes, 2 GB of disk).
// Then: [STACKCOLLAPSE=… INFERNO=…] node bench/collapse.mjs [ROUNDS]
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const inputs = join(homedir(), '.cache', 'tracewright-bench');
const others = {
  'inferno-collapse-perf': process.env.INFERNO ?? 'inferno-collapse-perf',
  'stackcollapse-perf.pl': process.env.STACKCOLLAPSE ?? 'stackcollapse-perf.pl',
};
const budget = { times_perl: 10, times_inferno: 1, rss_mb: 120, times_perf_script: 1.5 };
/** Perl takes half a minute for a GB. */
const largest_for_perl = 300e6;

const [what, first, second] = process.argv.slice(2);
if (what === 'side') await side(first, second);
else if (what === 'scan') scan(first);
else if (what === 'record') {
  const { record } = await import('./inputs/perf-script.mjs');
  mkdirSync(inputs, { recursive: true });
  record(inputs);
} else await compare(Number(what ?? 3));

async function compare(rounds) {
  const files = ['deep.txt', 'dwarf.txt', 'tracepoints.txt', 'flat.txt', 'deep-1gb.txt']
    .map((name) => join(inputs, name))
    .filter((file) => existsSync(file));
  if (files.length === 0) {
    console.log('skipped: no inputs. To record them: sudo node bench/collapse.mjs record');
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'collapse-'));
  try {
    const bundle = await bundled(scratch);
    for (const file of files) compareOn(file, bundle, rounds);
    const recording = join(inputs, 'busy.data');
    if (existsSync(recording)) await endToEnd(recording, bundle, rounds);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function bundled(scratch) {
  // Not at the top: the sides would load it, too, in the time that is measured.
  const { build } = await import('esbuild');
  const outfile = join(scratch, 'bundle.mjs');
  await build({
    stdin: {
      contents: `export { perfScriptImport } from './src/profiles/perf-script-profile.ts';
        export { writeFolded } from './src/profiles/folded-text.ts';
        export { perfScriptParser } from './parsers/perf-script/perf-script.ts';
        export { profileBuilder } from './src/analysis/profile.ts';
        export { rankSymbols } from './src/analysis/profile-symbols.ts';`,
      resolveDir: checkout,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  return outfile;
}

/** Each program in turn, so that all meet the same weather; medians. */
function compareOn(file, bundle, rounds) {
  const bytes = statSync(file).size;
  const self = fileURLToPath(import.meta.url);
  const programs = {
    tracewright: [process.execPath, [self, 'side', bundle, file]],
    // What remains when nothing is done but to look for the ends of lines.
    'newline scan': [process.execPath, [self, 'scan', file]],
    'inferno-collapse-perf': [others['inferno-collapse-perf'], ['-n', '1', '--all', file]],
  };
  if (bytes < largest_for_perl) {
    programs['stackcollapse-perf.pl'] = ['perl', ['-S', others['stackcollapse-perf.pl'], file]];
  }
  const times = new Map(Object.keys(programs).map((name) => [name, []]));
  let rss_mb = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [name, [program, args]] of Object.entries(programs)) {
      const started = performance.now();
      const { status, stderr } = spawnSync(program, args, {
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'pipe'],
        maxBuffer: 64 * 1024 * 1024,
        timeout: 120_000,
      });
      if (status !== 0) {
        times.delete(name);
        delete programs[name];
        continue;
      }
      times.get(name).push(performance.now() - started);
      if (name === 'tracewright') rss_mb = Math.max(rss_mb, JSON.parse(stderr).rss_mb);
    }
  }
  report(file, bytes, times, rss_mb);
}

function report(file, bytes, times, rss_mb) {
  const ours = median(times.get('tracewright'));
  const rates = [...times].map(([name, each]) => {
    const ms = median(each);
    const ratio =
      name === 'tracewright'
        ? `peak ${rss_mb.toFixed(0)} MB`
        : `${(ms / ours).toFixed(1)} x our time`;
    return `${name} ${(bytes / ms / 1e3).toFixed(0)} MB/s (${ratio})`;
  });
  console.log(`${file.split('/').at(-1)}, ${(bytes / 1e6).toFixed(0)} MB: ${rates.join(', ')}`);
  for (const name of Object.keys(others)) {
    const theirs = times.get(name);
    if (!theirs) {
      console.log(`  without ${name}: not installed, or the file is too large for it`);
      continue;
    }
    const wanted = name.endsWith('.pl') ? budget.times_perl : budget.times_inferno;
    if (median(theirs) / ours < wanted) over(`not ${wanted} x as fast as ${name}`);
  }
  if (rss_mb > budget.rss_mb) over(`more than ${budget.rss_mb} MB`);
}

/** A recording to its ten heaviest functions, beside perf script alone. */
async function endToEnd(recording, bundle, rounds) {
  const { perfScriptParser, profileBuilder, rankSymbols } = await import(pathToFileURL(bundle));
  const fields = ['-F', 'comm,pid,tid,cpu,time,event,ip,sym,dso'];
  const args = ['script', '-i', recording, '--no-inline', ...fields];
  const alone = [];
  const whole = [];
  let found = '';
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    spawnSync('perf', args, { stdio: ['ignore', 'ignore', 'ignore'] });
    alone.push(performance.now() - started);
    const again = performance.now();
    const builder = profileBuilder();
    const parser = perfScriptParser({
      frame: builder.symbol,
      task: builder.process,
      stack: builder.stack,
      sample: ({ task, stack, cpu }) => builder.add({ process: task, stack, cpu, weight: 1 }),
    });
    const child = spawn('perf', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const chunk of child.stdout) parser.push(chunk);
    const { samples } = parser.end();
    const [top] = rankSymbols(builder.finish());
    whole.push(performance.now() - again);
    found = `${samples} samples, the heaviest ${top?.symbol ?? 'none'}`;
  }
  const ratio = median(whole) / median(alone);
  console.log(
    `10 s at 99 Hz to a summary: ${median(whole).toFixed(0)} ms, perf script alone ` +
      `${median(alone).toFixed(0)} ms, ${ratio.toFixed(2)} x; ${found}`,
  );
  if (ratio > budget.times_perf_script) over(`more than ${budget.times_perf_script} x`);
}

async function side(bundle, file) {
  const { perfScriptImport, writeFolded } = await import(pathToFileURL(bundle));
  const reading = perfScriptImport('comm');
  const fd = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(64 * 1024);
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    reading.push(buffer.subarray(0, got));
  }
  for (const profile of reading.end()) {
    writeFolded(profile, {}, (piece) => writeSync(1, piece));
  }
  console.error(JSON.stringify({ rss_mb: process.resourceUsage().maxRSS / 1024 }));
}

function scan(file) {
  const fd = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let lines = 0;
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    const piece = buffer.subarray(0, got);
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++;
  }
  console.error(lines);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function over(reason) {
  console.log(`  over budget: ${reason}`);
  process.exitCode = 1;
}
