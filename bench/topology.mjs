// Reads the topology of a made-up machine of 512 CPUs on 8 nodes, and in the same run the same
// files with nothing but readFileSync. Fails where even the fastest run takes more than 50 ms: other
// work on the machine can only add.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget_ms = 50;
const runs = 15;

const folder = mkdtempSync(join(tmpdir(), 'tracewright-bench-'));
const outfile = join(folder, 'topology.mjs');
await bundled(
  `export { readTopology } from './src/collectors/topology.ts';
    export { hostFiles } from './src/procfs/host-files.ts';
    export { writeFakeHost } from './test/fake-topology.ts';
    export { bigServer } from './test/fake-hosts.ts';`,
  outfile,
);
const { readTopology, hostFiles, writeFakeHost, bigServer } = await import(pathToFileURL(outfile));

const root = writeFakeHost(bigServer());
try {
  const files = hostFiles(root);
  const { read, listed } = whatIsRead(files);
  const first_ms = time(() => readTopology(files));
  const ours_ms = [];
  const bare_ms = [];
  for (let run = 0; run < runs; run++) {
    ours_ms.push(time(() => readTopology(files)));
    bare_ms.push(
      time(() => {
        for (const path of read) readFileSync(root + path, 'utf8');
        for (const path of listed) readdirSync(root + path);
      }),
    );
  }
  const ours = median(ours_ms);
  const bare = median(bare_ms);
  const fastest = Math.min(...ours_ms);
  const worst = Math.max(first_ms, ...ours_ms);
  console.log(
    `topology of 512 CPUs: ${read.length} files, ${listed.length} folders; ` +
      `first ${first_ms.toFixed(1)} ms, fastest ${fastest.toFixed(1)} ms, median ${ours.toFixed(1)} ms, worst ${worst.toFixed(1)} ms ` +
      `(budget ${budget_ms} ms); bare readFileSync ${bare.toFixed(1)} ms; ` +
      `ratio ${(ours / bare).toFixed(2)}`,
  );
  if (fastest > budget_ms) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true });
  rmSync(folder, { recursive: true });
}

/** The files and folders that one reading opens with success. */
function whatIsRead(files) {
  const read = [];
  const listed = [];
  const text = (path) => {
    const value = files.text(path);
    if (value !== null) read.push(path);
    return value;
  };
  const list = (path) => {
    const names = files.list(path);
    if (names !== null) listed.push(path);
    return names;
  };
  const number = (path) => {
    if (files.number(path) !== null) read.push(path);
    return files.number(path);
  };
  readTopology({ ...files, text, list, number });
  return { read, listed };
}

function time(work) {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
