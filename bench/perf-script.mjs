// perf script text to a profile: time per MB and peak memory, beside a loop that only splits lines
// and a collapse in the usual way (a regular expression for each line, a joined string for each
// stack). Run: node bench/perf-script.mjs [FILE of perf script text] [MB]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget = { times_naive: 1.5, rss_growth_mb: 32 };
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const rounds = 5;

const [first, second, third, fourth] = process.argv.slice(2);
if (first === 'side') await measure(second, third, JSON.parse(fourth));
else await compare(first?.match(/\D/) ? first : undefined, Number(second ?? first ?? 100) || 100);

async function compare(file, mb) {
  const scratch = mkdtempSync(join(tmpdir(), 'perf-script-'));
  const bundle = join(scratch, 'bundle.mjs');
  try {
    await bundled(
      `export { perfScriptParser } from './parsers/perf-script/perf-script.ts';
        export { profileBuilder } from './src/analysis/profile.ts';`,
      bundle,
    );
    const small = side('profile', bundle, { file, mb: mb / 10 });
    const ours = side('profile', bundle, { file, mb });
    report(mb, small, ours, {
      'bare line splitter': side('split', bundle, { file, mb }),
      'regular expressions': side('naive', bundle, { file, mb }),
    });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

// A process of its own for each side, so that memory is that of one side alone.
function side(name, bundle, input) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), 'side', name, bundle, JSON.stringify(input)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function measure(name, bundle, { file, mb }) {
  const { perfScriptParser, profileBuilder } = await import(pathToFileURL(bundle).href);
  const sides = {
    profile: () => profile(perfScriptParser, profileBuilder),
    split: splitter,
    naive,
  };
  const { pieces, bytes } = input(file, mb);
  const best = { ms: Number.POSITIVE_INFINITY, found: '' };
  for (let round = 0; round < rounds; round++) {
    const { push, end } = sides[name]();
    const started = performance.now();
    for (const piece of pieces()) push(piece);
    best.found = end();
    best.ms = Math.min(best.ms, performance.now() - started);
  }
  const rss_mb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ...best, mb: bytes / 1e6, rss_mb }));
}

/** The text over and over in pieces as a pipe gives them; only one round of it is in memory. */
function input(file, mb) {
  const folder = join(checkout, 'fixtures', 'perf-script');
  const files = readdirSync(folder)
    .filter((name) => !/^synthetic|default-fields|lost/.test(name))
    .map((name) => join(folder, name, 'input.txt'));
  const once = Buffer.concat((file ? [file] : files).map((path) => readFileSync(path)));
  const repeats = Math.max(1, Math.round((mb * 1e6) / once.length));
  const piece = 65_536;
  function* pieces() {
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let at = 0; at < once.length; at += piece) yield once.subarray(at, at + piece);
    }
  }
  return { pieces, bytes: repeats * once.length };
}

function profile(perfScriptParser, profileBuilder) {
  const builder = profileBuilder();
  const parser = perfScriptParser({
    frame: builder.symbol,
    task: builder.process,
    stack: builder.stack,
    sample: ({ task, stack, cpu }) => builder.add({ process: task, stack, cpu, weight: 1 }),
  });
  const end = () => {
    const { samples } = parser.end();
    return `${samples} samples, ${builder.finish().nodes.parents.length} nodes`;
  };
  return { push: parser.push, end };
}

function splitter() {
  let rest = '';
  let lines = 0;
  const decoder = new StringDecoder('utf8');
  const push = (piece) => {
    const text = decoder.write(piece);
    const all = rest + text;
    let at = 0;
    for (let eol = all.indexOf('\n'); eol >= 0; eol = all.indexOf('\n', at)) {
      if (all.slice(at, eol).length > 0) lines++;
      at = eol + 1;
    }
    rest = all.slice(at);
  };
  return { push, end: () => `${lines} lines` };
}

function naive() {
  const header = /^\s*(.+?)\s+(\d+)\/(\d+)\s+\[(\d+)\]\s+(\d+\.\d+):\s+(\S+):\s*(.*)$/;
  const frame = /^\s*([0-9a-f]+) (.*) \((.*)\)$/;
  const stacks = new Map();
  let comm = '';
  let names = [];
  let samples = 0;
  let rest = '';
  const close = () => {
    if (comm === '') return;
    const key = [comm, ...names.reverse()].join(';');
    stacks.set(key, (stacks.get(key) ?? 0) + 1);
    samples++;
    comm = '';
    names = [];
  };
  const line = (text) => {
    if (text === '') {
      close();
      return;
    }
    const called = text.startsWith('\t') ? frame.exec(text) : null;
    if (called) {
      names.push(called[2]);
      return;
    }
    const sample = header.exec(text);
    if (!sample) return;
    close();
    comm = sample[1];
    const single = frame.exec(sample[7]);
    if (single) names.push(single[2]);
  };
  const decoder = new StringDecoder('utf8');
  const push = (piece) => {
    const lines = (rest + decoder.write(piece)).split('\n');
    rest = lines.pop();
    for (const each of lines) line(each);
  };
  const end = () => {
    close();
    return `${samples} samples, ${stacks.size} stacks`;
  };
  return { push, end };
}

function report(mb, small, ours, others) {
  const rate = ({ ms, mb: done }) =>
    `${(ms / done).toFixed(2)} ms/MB, ${((done / ms) * 1000).toFixed(0)} MB/s`;
  console.log(
    `${ours.mb.toFixed(0)} MB of perf script text: ${rate(ours)}, peak ${ours.rss_mb.toFixed(0)} MB ` +
      `(${small.rss_mb.toFixed(0)} MB for ${(mb / 10).toFixed(0)} MB of text); ${ours.found}`,
  );
  for (const [name, other] of Object.entries(others)) {
    console.log(
      `${name}: ${rate(other)}, peak ${other.rss_mb.toFixed(0)} MB; ${other.found}; ` +
        `its time is ${(other.ms / ours.ms).toFixed(2)} x ours`,
    );
  }
  const slow = others['regular expressions'].ms < ours.ms * budget.times_naive;
  const grows = ours.rss_mb - small.rss_mb > budget.rss_growth_mb;
  if (slow) console.log(`over budget: not ${budget.times_naive} x as fast as regular expressions`);
  if (grows)
    console.log(`over budget: memory grows with the input by more than ${budget.rss_growth_mb} MB`);
  if (slow || grows) process.exitCode = 1;
}
