import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weakPlace } from '../../src/exec/root-owned.ts';

/** This package where root alone may change it, and an ordinary user who runs it from there. */
export type Installed = Readonly<{
  folder: string;
  bundle: string;
  /** Runs the command line as nobody, to its end. */
  asNobody(...words: readonly string[]): Promise<NobodyRan>;
  startAsNobody(...words: readonly string[]): ChildProcess;
  remove(): void;
}>;

export type NobodyRan = Readonly<{ code: number; stdout: string; stderr: string }>;

const setpriv = '/usr/bin/setpriv';
export const nobody_uid = 65_534;
/** Options of setpriv. */
export const asNobody = [`--reuid=${nobody_uid}`, `--regid=${nobody_uid}`, '--clear-groups'];
const longest_ms = 100_000;

export function installForTest(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-installed-'));
  chmodSync(folder, 0o755);
  const bundle = join(folder, 'dist/cli.js');
  for (const path of ['dist/cli.js', 'package.json', 'scripts/bpftrace']) {
    cpSync(path, join(folder, path), { recursive: true });
  }
  const state = join(folder, 'state');
  mkdirSync(state);
  chmodSync(state, 0o1777);
  const words = (more: readonly string[]): string[] => [
    ...asNobody,
    ...[process.execPath, bundle, '--state-dir', join(state, 'nobody'), ...more],
  ];
  const options = { cwd: '/', env: { PATH: '/usr/bin:/bin' } };
  const begun = new Set<ChildProcess>();
  return {
    folder,
    bundle,
    asNobody: (...more) =>
      new Promise((resolve) => {
        const limits = { timeout: longest_ms, maxBuffer: 64 * 1024 * 1024 };
        execFile(setpriv, words(more), { ...options, ...limits }, (error, stdout, stderr) => {
          const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
          resolve({ code, stdout, stderr });
        });
      }),
    startAsNobody(...more) {
      const child = spawn(setpriv, words(more), { ...options, stdio: ['pipe', 'pipe', 'ignore'] });
      begun.add(child);
      return child;
    },
    remove() {
      for (const child of begun) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ids of the processes whose command line holds this text. */
function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => commandLine(name).includes(text))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The helpers of an installation that run, without what stands in front of them. */
export const helpersOf = ({ bundle }: Pick<Installed, 'bundle'>): readonly number[] => {
  const words = `${process.execPath} ${bundle} helper`;
  return processesWith(words).filter((pid) => commandLine(String(pid)).startsWith(words));
};

/** What runs a program that a helper composed, or writes a file of its: their paths name it. */
export function tracersOf(helper: number): readonly number[] {
  return processesWith(`/tracewright-0-${helper}-`);
}

/** The private folder of a helper that was killed, which the next one would remove. */
export function removeFolderOf(helper: number): void {
  for (const name of readdirSync(tmpdir())) {
    const its = name.startsWith(`tracewright-0-${helper}-`);
    if (its) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** What a test of the helper cannot do without. */
export const canInstall: boolean =
  process.geteuid?.() === 0 &&
  [setpriv, '/usr/bin/bpftrace'].every((path) => existsSync(path)) &&
  [process.execPath, tmpdir()].every((path) => weakPlace(path) === null);
