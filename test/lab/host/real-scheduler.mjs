import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cached } from './cache.mjs';
import { programPath } from './cannot-run.mjs';
import { runProgram } from './run-program.mjs';

/** Crates of the scx project, as published; each brings a program of its own name. */
const schedulers = ['scx_bpfland', 'scx_layered'];
const version = '1.1.4';
const oldest_clang = 18;

/** rustup's folder is not in the PATH of every shell. */
const PATH = [programPath, join(homedir(), '.cargo/bin')].join(delimiter);

/**
 * The schedulers, each built once and kept in the cache: [{name, path, reason}]. `path` is the
 * program; null where it cannot be built, with the reason.
 */
export function realSchedulers(cache, say) {
  // What the crates have in common is compiled once for all of them.
  const target = join(cache, `draft-${process.pid}-cargo`);
  try {
    return schedulers.map((name) => realScheduler(cache, name, target, say));
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

function realScheduler(cache, name, target, say) {
  try {
    const path = cached(cache, name, version, (draft) => {
      const clang = needTools();
      say(`building ${name} ${version} from its crate (once, some minutes)`);
      build(name, draft, target, clang);
    });
    return { name, path, reason: '' };
  } catch (error) {
    const reason = `${name} cannot be built here: ${why(error)}`;
    say(reason);
    return { name, path: null, reason };
  }
}

/** Nothing is optimised: what a test needs is the part in BPF, which clang compiles the same way. */
function build(name, draft, target, clang) {
  const profile = { CARGO_PROFILE_RELEASE_OPT_LEVEL: '0', CARGO_PROFILE_RELEASE_STRIP: 'symbols' };
  const env = { PATH, ...profile, BPF_CLANG: clang, CARGO_TARGET_DIR: target };
  const root = join(target, 'installed');
  const args = ['install', '--locked', '--no-track', '--version', version, '--root', root, name];
  runProgram('cargo', args, { env });
  renameSync(join(root, 'bin', name), draft);
}

/** The clang to compile with; throws with what is missing, and the Debian package that has it. */
function needTools() {
  if (printed('cargo', '--version') === null) throw new Error('there is no cargo (rustup.rs)');
  const clang = candidates().find((name) => clangVersion(name) >= oldest_clang);
  if (!clang) throw new Error(`there is no clang ${oldest_clang} or newer (Debian: clang-19)`);
  if (printed('make', '--version') === null) throw new Error('there is no make (Debian: make)');
  const libraries = ['libelf', 'zlib'];
  if (printed('pkg-config', '--exists', ...libraries) === null) {
    throw new Error(
      'pkg-config finds no libelf or zlib (Debian: pkg-config libelf-dev zlib1g-dev)',
    );
  }
  return clang;
}

/** `clang`, then the newest of those that carry their version in the name, as Debian's do. */
function candidates() {
  const versions = Array.from({ length: 20 }, (_, index) => oldest_clang + 19 - index);
  return [process.env.BPF_CLANG ?? 'clang', ...versions.map((number) => `clang-${number}`)];
}

function clangVersion(name) {
  return Number(/clang version (\d+)/.exec(printed(name, '--version') ?? '')?.[1] ?? 0);
}

/** What a program printed, or null where it is missing or failed. */
function printed(program, ...args) {
  const { status, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH },
  });
  return status === 0 ? stdout : null;
}

const isOffline =
  /could not resolve|failed to (download|connect|fetch)|timed out|unable to update/i;

function why({ message }) {
  if (isOffline.test(message)) return 'the crates cannot be fetched (offline?)';
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => line.startsWith('error')) ?? lines.at(-1) ?? message).slice(0, 300);
}
