import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const installed = (path: string): string =>
  fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));

/** The official conformance suite needs Node.js 22, as the Inspector does. */
export function conformanceCommandLine(): readonly [string, string] {
  const node = installed(`node-linux-${process.arch}/bin/node`);
  const script = installed('@modelcontextprotocol/conformance/dist/index.js');
  for (const path of [node, script]) {
    if (!existsSync(path))
      throw new Error(`${path} is missing. Run: node scripts/setup.mjs --tests`);
  }
  return [node, script];
}
