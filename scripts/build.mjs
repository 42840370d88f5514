// Builds dist/cli.js: one file. It is minified for its start alone; who runs it as root reads src/.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { oneFile } from './one-file.mjs';

/**
 * Node's own modules are loaded where they are first used. As static imports of the bundle all of
 * them would load at start, 10 ms before a client gets its first answer.
 */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      return kind === 'require-call' ? { path, external: true } : { path, namespace: 'builtin' };
    });
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const built = await build({
  entryPoints: ['src/cli.ts'],
  outdir: 'dist',
  splitting: true,
  write: false,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  alias: {
    '@modelcontextprotocol/server/_shims': './scripts/sdk-shims.mjs',
    // Its main module is UMD, the require calls of which no bundler can follow.
    'jsonc-parser': './node_modules/jsonc-parser/lib/esm/main.js',
  },
  plugins: [lazyBuiltins],
  legalComments: 'none',
  // A third fewer bytes to compile before `initialize` is answered.
  minify: true,
  metafile: true,
  logLevel: 'warning',
  define: { 'import.meta': 'meta' },
});

mkdirSync('dist', { recursive: true });
writeFileSync('dist/cli.js', await oneFile(built, 'dist/cli.js'), { mode: 0o755 });
writeFileSync('dist/THIRD_PARTY_NOTICES.txt', notices(Object.keys(built.metafile.inputs)));

/** The licences of what is in the bundle: each of them asks to stay with its code. */
function notices(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      const text = file ? readFileSync(`${folder}/${file}`, 'utf8').trim() : `Licence: ${license}`;
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
