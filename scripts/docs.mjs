// Writes the documents that come from code. `--check` only says which are out of date; `--record` first reads
// every resource of this host, so that new fields and types come into docs/resources.md.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const fields = join(root, 'scripts/docs/resource-fields.json');
const { documents, mergeFields, resourceUris } = await load();

if (process.argv.includes('--record')) record();
const stale = documents(root).filter(({ path, text }) => current(path) !== text);
if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path} is out of date. Run: npm run docs`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.error(`written: ${path}`);
  }
}

function current(path) {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null;
}

/** TypeScript, which the oldest Node.js that we support does not run by itself. */
async function load() {
  const scratch = mkdtempSync(join(root, 'node_modules/.docs-'));
  try {
    const outfile = join(scratch, 'docs.mjs');
    await build({
      stdin: {
        contents: `export { documents } from './scripts/docs/documents.ts';
          export { mergeFields, resourceUris } from './scripts/docs/seen-fields.ts';`,
        resolveDir: root,
        loader: 'ts',
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'warning',
      packages: 'external',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function record() {
  const cli = join(root, 'dist/cli.js');
  let seen = JSON.parse(readFileSync(fields, 'utf8'));
  for (const uri of resourceUris()) {
    try {
      const read = ['read', uri, '--daemon', '--json'];
      const answer = execFileSync(process.execPath, [cli, ...read], {
        encoding: 'utf8',
        maxBuffer: 1e8,
      });
      seen = mergeFields(seen, uri, JSON.parse(answer));
    } catch {
      console.error(`not recorded here: ${uri}`);
    }
  }
  writeFileSync(fields, `${JSON.stringify(seen, null, 2)}\n`);
}
