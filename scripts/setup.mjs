// Installs what the checkout lacks and builds dist/cli.js when a source is newer. `--tests` adds
// the real MCP clients that the tests drive. Says what it does on stderr: stdout belongs to the
// server that `npm start` runs next. Plain Node: it runs before there is a node_modules.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, 'dist/cli.js');
const sources = ['src', 'parsers', 'allowlist', 'scripts'];
const manifests = ['package.json', 'package-lock.json'];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node.js 20.19 or newer is needed; this is ${process.versions.node}.`);
}

if (!isInstalled(root)) install(root, 'the build tools');
if (process.argv.includes('--tests')) {
  const clients = join(root, 'test/clients');
  if (!isInstalled(clients)) install(clients, 'the MCP clients of the tests');
}
if (isStale()) await rebuild();

/**
 * Whether node_modules is what package-lock.json asks for. npm writes node_modules/.package-lock.json
 * as the last step of an install, so an interrupted one does not pass.
 */
function isInstalled(folder) {
  const wanted = packagesOf(join(folder, 'package-lock.json'));
  const present = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  if (!wanted) fail(`${join(folder, 'package-lock.json')} is missing or torn. Try: git checkout .`);
  if (!present) return false;
  const asLocked = ([path, entry]) => wanted[path]?.version === entry.version;
  const isThere = ([path, entry]) =>
    path === '' || path in present || Boolean(entry.optional ?? entry.devOptional);
  return Object.entries(present).every(asLocked) && Object.entries(wanted).every(isThere);
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** No install scripts: the native parts come as packages of their own and work without them. */
function install(folder, what) {
  console.error(`tracewright: installing ${what} (npm ci) ...`);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync(process.execPath, [npmPath(), ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (npm.status === 0) return;
  const said = `${npm.stderr ?? ''}${npm.error?.message ?? ''}`.trim().split('\n');
  console.error(said.slice(0, 20).join('\n'));
  fail(`npm ci failed in ${folder}. When the registry can be reached: cd ${folder} && npm ci`);
}

/** npm's own script, started with this Node.js: no shell, no search through PATH. */
function npmPath() {
  const bin = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    join(bin, 'npm'),
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
    '/usr/share/nodejs/npm/bin/npm-cli.js',
  ];
  const paths = candidates.filter((path) => existsSync(path)).map((path) => realpathSync(path));
  const npm = paths.find((path) => basename(path) === 'npm-cli.js');
  return npm ?? fail('npm was not found beside Node.js. Install it, then run: npm ci');
}

/** A folder's own time counts too: it changes when a file in it is removed. */
function isStale() {
  const built = statSync(output, { throwIfNoEntry: false });
  if (!built) return true;
  const newest = (path) => {
    const stats = statSync(path);
    if (!stats.isDirectory()) return stats.mtimeMs;
    const inside = readdirSync(path).map((name) => newest(join(path, name)));
    return Math.max(stats.mtimeMs, ...inside);
  };
  return [...sources, ...manifests].some((name) => newest(join(root, name)) > built.mtimeMs);
}

async function rebuild() {
  console.error('tracewright: building dist/cli.js ...');
  process.chdir(root);
  try {
    await import('./build.mjs');
  } catch (error) {
    // esbuild has shown its own errors, with file and line.
    fail(`the build failed: ${String(error?.message).split('\n')[0]}`);
  }
}

function fail(message) {
  console.error(`tracewright: ${message}`);
  process.exit(1);
}
