import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compatibilityPage, type Recording, type Suite } from './compatibility.ts';
import { errorsPage } from './errors.ts';
import { manPage } from './man.ts';
import { withSections } from './readme.ts';
import { resourcesPage } from './resources.ts';
import { toolsPage } from './tools.ts';

export type Document = Readonly<{ path: string; text: string }>;

/** Every file that is written from code, as it ought to be. Paths are below `root`, the checkout. */
export function documents(root: string): readonly Document[] {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const fields = JSON.parse(read('scripts/docs/resource-fields.json'));
  return [
    { path: 'docs/tools.md', text: toolsPage() },
    { path: 'docs/resources.md', text: resourcesPage(fields) },
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/compatibility.md', text: compatibilityPage(recordings(root), suites(root)) },
    { path: 'man/tracewright.1', text: manPage() },
    { path: 'server.json', text: registryEntry(read('package.json')) },
    { path: 'README.md', text: withSections(read('README.md')) },
  ];
}

/** What the registry of MCP servers is told; `mcpName` of the package proves that both are ours. */
function registryEntry(manifest: string): string {
  const { name, mcpName, version } = JSON.parse(manifest);
  const entry = {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: 'Tracewright',
    description: 'Ask why a Linux machine is slow: true numbers from its kernel, served safely.',
    version,
    packages: [
      {
        registryType: 'npm',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [
          { type: 'positional', value: 'mcp' },
          { type: 'named', name: '--daemon' },
        ],
      },
    ],
  };
  return `${JSON.stringify(entry, null, 2)}\n`;
}

function recordings(root: string): Recording[] {
  const folder = join(root, 'fixtures');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/provenance.txt'))
    .sort()
    .map((path) => ({
      format: path.split('/')[0] ?? path,
      provenance: readFileSync(join(folder, path), 'utf8'),
    }));
}

/** Tests of the lab by what is around them: the nearest `describe`, or the name of the file. */
function suites(root: string): Suite[] {
  const folder = join(root, 'test/lab/guest/suites');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const found = new Map<string, string[]>();
      let around = file.replace(/\.ts$/, '');
      const text = readFileSync(join(folder, file), 'utf8');
      for (const [, kind, , title = ''] of text.matchAll(
        /^ *(describe|test)\(\s*(['"])(.+?)\2/gm,
      )) {
        if (kind === 'describe') around = title;
        else found.set(around, [...(found.get(around) ?? []), title]);
      }
      return [...found].map(([name, titles]) => ({ name, titles }));
    });
}
