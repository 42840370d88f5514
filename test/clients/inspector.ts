import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const installed = (path: string): string =>
  fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));

/** The Inspector needs Node.js 22.19, we test on 20: it runs on a Node.js that npm installed. */
export function inspectorCommandLine(): readonly [string, string] {
  const node = installed(`node-linux-${process.arch}/bin/node`);
  const script = installed('@modelcontextprotocol/inspector/clients/cli/build/index.js');
  for (const path of [node, script]) {
    if (!existsSync(path))
      throw new Error(`${path} is missing. Run: node scripts/setup.mjs --tests`);
  }
  return [node, script];
}
