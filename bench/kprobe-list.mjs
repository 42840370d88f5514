// events://kprobe on a host with 60,000 functions: time and size of a first and of a later answer,
// beside a bare split of the same text in the same run. Fails above 10,000 tokens or the ratio below.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget = { tokens: 10_000, ratio: 10 };
const functions = 60_000;
const runs = 15;

const folder = mkdtempSync(join(tmpdir(), 'tracewright-bench-'));
try {
  const outfile = join(folder, 'bundle.mjs');
  await bundled(
    `export { createContext } from './src/context.ts';
      export { resourceDocument } from './src/answer.ts';
      export { collectKprobeFunctions } from './src/collectors/kprobe-functions.ts';`,
    outfile,
  );
  const { createContext, resourceDocument, collectKprobeFunctions } = await import(
    pathToFileURL(outfile).href
  );

  const tracing = join(folder, 'sys/kernel/tracing');
  const file = join(tracing, 'available_filter_functions');
  mkdirSync(tracing, { recursive: true });
  writeFileSync(join(tracing, 'available_events'), 'sched:sched_switch\n');
  writeFileSync(file, generated());
  const call = { signal: new AbortController().signal, progress() {} };
  const settings = { daemon: false, readOnly: false };

  const answer = async (ctx, query) => {
    const started = performance.now();
    const reading = await collectKprobeFunctions(ctx, { limit: 500, offset: 0, ...query }, call);
    const text = JSON.stringify(resourceDocument(reading, ctx));
    return { ms: performance.now() - started, tokens: Math.ceil(Buffer.byteLength(text) / 4) };
  };

  const all = { first: [], later: [], matching: [], widest: [], bare: [] };
  for (let run = 0; run < runs; run++) {
    const ctx = createContext(settings, folder);
    all.first.push(await answer(ctx, {}));
    all.later.push(await answer(ctx, {}));
    all.matching.push(await answer(ctx, { match: 'tcp_send' }));
    all.widest.push(await answer(ctx, { limit: 2000, offset: 30_000 }));
    all.bare.push(bareSplit(file));
  }
  const ms = Object.fromEntries(
    Object.entries(all).map(([name, answers]) => [name, median(answers.map((each) => each.ms))]),
  );
  const tokens = Math.max(...[...all.first, ...all.widest].map((each) => each.tokens));
  const ratio = ms.first / ms.bare;
  console.log(
    `${functions} functions: first answer ${ms.first.toFixed(1)} ms, later ${ms.later.toFixed(2)} ms, ` +
      `?match= ${ms.matching.toFixed(1)} ms, limit 2000 ${ms.widest.toFixed(2)} ms; ` +
      `bare read and split ${ms.bare.toFixed(1)} ms, ratio ${ratio.toFixed(2)} (budget ${budget.ratio}); ` +
      `largest answer ${tokens} tokens (budget ${budget.tokens})`,
  );
  if (tokens > budget.tokens || ratio > budget.ratio) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

function generated() {
  const parts = ['tcp', 'vfs', 'ext4', 'sched', 'do', 'blk_mq', 'kvm', 'send', 'read', 'wake'];
  const lines = Array.from({ length: functions }, (_, index) => {
    const name = `${parts[index % 10]}_${parts[(index >> 3) % 10]}_${index.toString(36)}`;
    return index % 20 === 0 ? `${name} [module_${index % 97}]` : name;
  });
  return `${lines.join('\n')}\n`;
}

function bareSplit(path) {
  const started = performance.now();
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.length <= functions) throw new Error('lines are missing');
  return { ms: performance.now() - started };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
