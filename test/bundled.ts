import { build } from 'esbuild';

const requireOf =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Writes a program with all that it imports, by paths from the root of the checkout. */
export async function bundled(contents: string, outfile: string): Promise<void> {
  await build({
    stdin: { contents, resolveDir: process.cwd() },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: requireOf },
  });
}
