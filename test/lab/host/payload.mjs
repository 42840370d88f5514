import { cpSync, existsSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { CannotRun } from './cannot-run.mjs';
import { runProgram } from './run-program.mjs';

const lab = dirname(import.meta.dirname);
const project = join(lab, '../..');

/** Packs what the guest finds in /lab into `work`/payload.tar. */
export async function packPayload({ work, kernel, schedulers, ...options }) {
  const { mode, script, only, coverage, route } = options;
  const folder = join(work, 'lab');
  mkdirSync(folder);
  packProduct(folder);
  await bundleTests(folder);
  cpSync(npmFolder(), join(folder, 'npm'), { recursive: true, dereference: true });
  cpSync(join(lab, 'schedulers'), join(folder, 'schedulers'), { recursive: true });
  packSchedulers(join(folder, 'scx'), schedulers);
  for (const name of ['start.sh', 'systemd.sh', 'helper.sh']) {
    cpSync(join(lab, 'guest', name), join(folder, name));
  }
  for (const name of ['record.sh', 'record-tree.sh']) {
    cpSync(join(project, 'fixtures', name), join(folder, name));
  }
  cpSync(kernel.config, join(folder, 'config'));
  cpSync(kernel.testModules, join(folder, 'modules'), { recursive: true });
  if (kernel.bpftool) cpSync(kernel.bpftool, join(folder, 'bpftool'));
  if (script) cpSync(script, join(folder, 'script'));
  writeFileSync(
    join(folder, 'settings.sh'),
    `LAB_MODE=${mode}\nLAB_ONLY=${quoted(only)}\nLAB_COVERAGE=${coverage ? 1 : ''}\nexport LAB_ROUTE=${route}\n`,
  );
  runProgram('tar', ['-c', '-f', join(work, 'payload.tar'), '-C', folder, '.']);
}

/** As one word of the shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A program for each, or NAME.missing with the reason. */
function packSchedulers(folder, schedulers) {
  mkdirSync(folder);
  for (const { name, path, reason } of schedulers) {
    if (path) cpSync(path, join(folder, name));
    else writeFileSync(join(folder, `${name}.missing`), reason);
  }
}

/** The tarball that npm would publish. */
function packProduct(folder) {
  const npm = join(npmFolder(), 'bin/npm-cli.js');
  const args = [npm, 'pack', '--json', '--pack-destination', folder];
  const printed = runProgram(process.execPath, args, { cwd: project });
  const [{ filename }] = JSON.parse(printed.slice(printed.indexOf('[\n')));
  renameSync(join(folder, filename), join(folder, 'tracewright.tgz'));
}

/** One file each, with the MCP client inside: the guest has no network and no node_modules. */
async function bundleTests(folder) {
  await build({
    entryPoints: Object.fromEntries(
      ['tests', 'bench', 'reporter'].map((name) => [name, join(lab, `guest/${name}.ts`)]),
    ),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: project,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}

/** npm as it comes with Node.js: one folder. Debian's own is 400 packages and does not do. */
function npmFolder() {
  const bin = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    join(bin, 'npm'),
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  const found = candidates
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
    .find((path) => path.endsWith('/lib/node_modules/npm/bin/npm-cli.js'));
  if (!found) throw new CannotRun('Node.js came without its npm, which goes into the guest too');
  return dirname(dirname(found));
}
