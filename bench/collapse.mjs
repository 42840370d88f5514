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
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const inputs = join(homedir(), '.cache', 'tracewright-bench');
const ours = 'tracewright';
const begun = 'tracewright, its first 10 MB';
const inferno = 'inferno-collapse-perf';
const perl = 'stackcollapse-perf.pl';
const others = {
  [inferno]: process.env.INFERNO ?? inferno,
  [perl]: process.env.STACKCOLLAPSE ?? perl,
};
/** Starting Node.js and compiling what is hot takes a quarter of a second: not so much here. */
const large = 500e6;
const budget = { times: { [perl]: 10, [inferno]: 1 }, rss_mb: 120, times_perf_script: 1.5 };

/** Of a file, read by a process of its own: what it costs to start and to learn what the text holds. */
const beginning = 10e6;

const [what, first, second, third] = process.argv.slice(2);
if (what === 'side') await side(first, second, Number(third ?? Number.POSITIVE_INFINITY));
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
    const bundle = join(scratch, 'bundle.mjs');
    await bundled(
      `export { perfScriptImport } from './src/profiles/perf-script-profile.ts';
        export { writeFolded } from './src/profiles/folded-text.ts';
        export { perfScriptParser } from './parsers/perf-script/perf-script.ts';
        export { profileBuilder } from './src/analysis/profile.ts';
        export { rankSymbols } from './src/analysis/profile-symbols.ts';`,
      bundle,
    );
    for (const file of files) compareOn(file, bundle, rounds);
    const recording = join(inputs, 'busy.data');
    if (existsSync(recording)) await endToEnd(recording, bundle, rounds);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Each program in turn, so that all meet the same weather; medians. */
function compareOn(file, bundle, rounds) {
  const bytes = statSync(file).size;
  const self = fileURLToPath(import.meta.url);
  const programs = new Map([
    [ours, [process.execPath, self, 'side', bundle, file]],
    [begun, [process.execPath, self, 'side', bundle, file, String(beginning)]],
    // What remains when nothing is done but to look for the ends of lines.
    ['newline scan', [process.execPath, self, 'scan', file]],
    [inferno, [others[inferno], '-n', '1', '--all', file]],
    [perl, ['perl', '-S', others[perl], file]],
  ]);
  const runs = new Map([...programs.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of programs) {
      // Half a minute for a GB: once is enough.
      if (name === perl && bytes > large && round > 0) continue;
      const run = timed(command);
      if (run) runs.get(name).push(run);
      else programs.delete(name);
    }
  }
  report(file, bytes, runs);
}

/** Time on the wall and of the CPUs, which other programs on a busy machine change less. */
function timed(command) {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" 3>&2 2>/dev/null';
  const { status, stderr } = spawnSync('bash', ['-c', script, '--', ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  });
  if (status !== 0) return null;
  const lines = stderr.trim().split('\n');
  const [wall, user, system] = lines.at(-1).split(' ').map(Number);
  return { ms: wall * 1000, cpu_ms: (user + system) * 1000, rss_mb: Number(lines[0]) };
}

function report(file, bytes, runs) {
  const mine = figures(runs.get(ours));
  console.log(`${file.split('/').at(-1)}, ${(bytes / 1e6).toFixed(0)} MB`);
  started(bytes, mine, figures(runs.get(begun)), runs.get(perl));
  runs.delete(begun);
  for (const [name, each] of runs) {
    if (each.length === 0) {
      console.log(`  ${name}: not installed`);
      continue;
    }
    const { ms, cpu_ms } = figures(each);
    const rate = `${(bytes / ms / 1e3).toFixed(0)} MB/s, ${(bytes / cpu_ms / 1e3).toFixed(0)} MB per CPU second`;
    const ratio = `our time ${(ms / mine.ms).toFixed(1)} x, of the CPU ${(cpu_ms / mine.cpu_ms).toFixed(1)} x`;
    console.log(
      `  ${name}: ${rate}; ${name === ours ? `peak ${mine.rss_mb.toFixed(0)} MB` : ratio}`,
    );
    const wanted = bytes > large ? (budget.times[name] ?? 0) : 0;
    if (cpu_ms < wanted * mine.cpu_ms) over(`not ${wanted} x as fast as ${name}`);
  }
  if (mine.rss_mb > budget.rss_mb) over(`more than ${budget.rss_mb} MB`);
}

/** What every further MB costs, beside what the first ones do. */
function started(bytes, mine, first, byPerl) {
  const rate = (bytes - beginning) / (mine.cpu_ms - first.cpu_ms) / 1e3;
  const script = byPerl.length === 0 ? null : bytes / figures(byPerl).cpu_ms / 1e3;
  const ratio = script === null ? '' : `, ${(rate / script).toFixed(1)} x ${perl}`;
  console.log(
    `  ${begun}: ${first.cpu_ms.toFixed(0)} ms of CPU time; from there on ` +
      `${rate.toFixed(0)} MB per CPU second${ratio}`,
  );
}

function figures(runs) {
  return {
    ms: median(runs.map(({ ms }) => ms)),
    cpu_ms: median(runs.map(({ cpu_ms }) => cpu_ms)),
    rss_mb: Math.max(...runs.map(({ rss_mb }) => rss_mb)),
  };
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
    const profile = builder.finish();
    const [top] = rankSymbols(profile, 'self');
    whole.push(performance.now() - again);
    found = `${samples} samples, the heaviest ${profile.symbols[top?.symbol ?? -1]?.symbol ?? 'none'}`;
  }
  const ratio = median(whole) / median(alone);
  console.log(
    `10 s at 99 Hz to a summary: ${median(whole).toFixed(0)} ms, perf script alone ` +
      `${median(alone).toFixed(0)} ms, ${ratio.toFixed(2)} x; ${found}`,
  );
  if (ratio > budget.times_perf_script) over(`more than ${budget.times_perf_script} x`);
}

async function side(bundle, file, most) {
  const { perfScriptImport, writeFolded } = await import(pathToFileURL(bundle));
  const reading = perfScriptImport('comm');
  const fd = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let read = 0;
  for (let got = readSync(fd, buffer); got > 0 && read < most; got = readSync(fd, buffer)) {
    reading.push(buffer.subarray(0, got));
    read += got;
  }
  for (const profile of reading.end()) {
    writeFolded(profile, {}, (piece) => writeSync(1, piece));
  }
  // Past the redirection of timed().
  writeSync(3, `${process.resourceUsage().maxRSS / 1024}\n`);
}

function scan(file) {
  const fd = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let lines = 0;
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    const piece = buffer.subarray(0, got);
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++;
  }
  console.log(lines);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function over(reason) {
  console.log(`  over budget: ${reason}`);
  process.exitCode = 1;
}
