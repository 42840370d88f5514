import { dirname } from 'node:path';

const requireOf =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Writes a module with all that it imports, by paths from the root of the checkout. */
export async function bundled(contents, outfile) {
  // Not at the top: what is measured in a process of its own would load it, too.
  const { build } = await import('esbuild');
  await build({
    stdin: { contents, resolveDir: dirname(import.meta.dirname), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: requireOf },
    logLevel: 'warning',
  });
}
