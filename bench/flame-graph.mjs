// Flame graph of 100,000 distinct stacks: time from the stacks to the SVG, and its size. Run:
// node bench/flame-graph.mjs [STACKS]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget = { ms: 2000, bytes: 5_000_000 };
const rounds = 5;

const count = Number(process.argv[2] ?? 100_000) || 100_000;
const scratch = mkdtempSync(join(tmpdir(), 'flame-graph-'));
try {
  const bundle = join(scratch, 'bundle.mjs');
  await bundled(
    `export { flamePicture } from './src/profiles/flame-picture.ts';
      export { flameSvg } from './src/profiles/flame-svg.ts';
      export { manyStacks } from './test/profiles/sample-profile.ts';`,
    bundle,
  );
  const { flamePicture, flameSvg, manyStacks } = await import(pathToFileURL(bundle).href);
  const profile = manyStacks(count);
  const times = [];
  let svg = '';
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    svg = flameSvg(flamePicture(profile, 'benchmark'), { max_bytes: budget.bytes });
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const median = times[Math.floor(rounds / 2)] ?? 0;
  const bytes = Buffer.byteLength(svg);
  const frames = profile.stacks.reduce((sum, stack) => sum + stack.frames.length, 0);
  console.log(
    `${count} distinct stacks of ${frames} frames: ${Math.round(median)} ms (median of ${rounds}; budget ${budget.ms}), ` +
      `${(bytes / 1e6).toFixed(2)} MB (budget ${budget.bytes / 1e6})`,
  );
  if (median > budget.ms || bytes > budget.bytes) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
