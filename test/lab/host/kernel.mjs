import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openApt } from './apt.mjs';
import { cached } from './cache.mjs';
import { CannotRun } from './cannot-run.mjs';
import { runProgram } from './run-program.mjs';

/** Raise it when what is kept of a kernel changes. */
const recipe = 3;
/** Modules that tests load when they need them. */
const forTests = /\/(?:configfs|null_blk|sch_netem)\.ko(?:\.xz)?$/;
const flavour = 'cloud-amd64';

/**
 * The newest Debian kernel whose version begins with `wanted` ("6.18", "7"), fetched once and kept
 * until the cache is removed: {vmlinuz, modules, testModules, config, bpftool, version}. `modules` is the
 * folder of those the guest needs to find its disk, `testModules` of those that tests load, `config` what the kernel was built with. `bpftool` is null
 * where the one of the root file system will do.
 */
export function fetchKernel(folder, wanted, say) {
  const path = cached(folder, `kernel-${wanted}`, recipe, (draft) => {
    const work = mkdtempSync(join(folder, 'draft-apt-'));
    try {
      say(`fetching the newest ${wanted} kernel`);
      keepKernel(unpackNewest(openApt(work), work, wanted, say), draft);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  const names = readdirSync(path);
  const vmlinuz = names.find((name) => name.startsWith('vmlinuz-'));
  return {
    vmlinuz: join(path, vmlinuz),
    modules: join(path, 'modules'),
    testModules: join(path, 'test-modules'),
    config: join(path, 'config'),
    bpftool: names.includes('bpftool') ? join(path, 'bpftool') : null,
    version: vmlinuz.slice('vmlinuz-'.length),
  };
}

/** A mirror may list a package that it has not got, or not have all parts of a release yet. */
function unpackNewest(apt, work, wanted, say) {
  for (const [version, packages] of releases(apt, wanted)) {
    const tree = join(work, version);
    try {
      for (const file of apt.fetch(packages)) runProgram('dpkg-deb', ['-x', file, tree]);
      const kernel = findKernel(tree);
      if (kernel) return { version, ...kernel, bpftool: fetchBpftool(apt, work, version) };
      say(`${version}: no kernel, config or virtio_blk in ${packages.join(', ')}`);
    } catch (error) {
      say(`${version}: ${error.message.split('\n').at(-1)}`);
    }
    rmSync(tree, { recursive: true, force: true });
  }
  throw new CannotRun(`the mirror has no ${wanted} kernel of flavour ${flavour}`);
}

/**
 * Versions, newest first, with their packages. Up to 6.18 linux-image has all; later ones spread
 * it over linux-binary (or linux-binary-unsigned, which comes first), linux-modules and, with the
 * config, linux-base.
 */
function releases(apt, wanted) {
  const parts = ['image', 'binary', 'binary-unsigned', 'modules', 'base'].map(
    (part) => `linux-${part}-`,
  );
  const versions = new Map();
  for (const part of parts) {
    const isWhole = new RegExp(`^${part}(${wanted.replaceAll('.', '\\.')}\\.[^-]*)-${flavour}$`);
    for (const name of apt.names(`${part}${wanted}.`)) {
      const version = isWhole.exec(name)?.[1];
      if (version) versions.set(version, [...(versions.get(version) ?? []), name]);
    }
  }
  const byNumber = ([a], [b]) => b.localeCompare(a, 'en', { numeric: true });
  return [...versions].sort(byNumber);
}

function findKernel(tree) {
  const files = readdirSync(tree, { recursive: true }).map((path) => join(tree, path));
  // boot/vmlinuz-VERSION; since 7.0 lib/modules/VERSION/vmlinuz, with .unsigned where it is that.
  const vmlinuz = files.find((path) => /^vmlinuz(-.*|\.unsigned)?$/.test(basename(path)));
  const modules = files.filter((path) => /\/virtio_blk\.ko(\.xz)?$/.test(path));
  // Likewise boot/config-VERSION, since 7.0 lib/modules/VERSION/config.
  const testModules = files.filter((path) => forTests.test(path));
  const config = files.find((path) => /\/(boot\/config-[^/]+|modules\/[^/]+\/config)$/.test(path));
  return vmlinuz && config && modules.length > 0 ? { vmlinuz, modules, testModules, config } : null;
}

/** The bpftool of Debian 13 is of 6.12 and does not know all of what a 7.x kernel has. */
function fetchBpftool(apt, work, version) {
  if (!/^[7-9]/.test(version)) return null;
  const [file] = apt.fetch(['bpftool/trixie-backports']);
  runProgram('dpkg-deb', ['-x', file, join(work, 'bpftool')]);
  return join(work, 'bpftool/usr/sbin/bpftool');
}

function keepKernel({ version, vmlinuz, modules, testModules, config, bpftool }, draft) {
  for (const name of ['modules', 'test-modules']) mkdirSync(join(draft, name), { recursive: true });
  cpSync(vmlinuz, join(draft, `vmlinuz-${version}-${flavour}`));
  for (const path of modules) cpSync(path, join(draft, 'modules', basename(path)));
  for (const path of testModules) cpSync(path, join(draft, 'test-modules', basename(path)));
  cpSync(config, join(draft, 'config'));
  if (bpftool) cpSync(bpftool, join(draft, 'bpftool'));
}
