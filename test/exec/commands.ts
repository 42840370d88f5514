import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { approve, type Command } from '../../allowlist/command.ts';

type Parts = Partial<Omit<Command, 'program' | 'limits'>> & Partial<Command['limits']>;

/** The allowlist of these tests: small real programs, one per habit that a real one may have. */
export type Programs = Readonly<{
  folder: string;
  command(name: string, parts?: Parts): Command;
  remove(): void;
}>;

/** Copies of test/exec/programs that root may run: a checkout can belong to anybody. */
export function programsForTest(): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-programs-'));
  for (const name of readdirSync('test/exec/programs')) {
    copyFileSync(join('test/exec/programs', name), join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  return {
    folder,
    command(name, { duration_ms = 5000, output_bytes = 1_000_000, args = [], ...rest } = {}) {
      return approve({
        // Found programs are remembered by name: each folder needs names of its own.
        program: {
          name: `${folder}/${name}`,
          candidates: [join(folder, `${name}.sh`)],
          packages: { apt: 'tracewright-test', dnf: 'tracewright-test' },
        },
        args,
        limits: { duration_ms, output_bytes },
        ...rest,
      });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Whether a process runs; one that has ended and is not yet reaped does not. */
export function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/status`;
  return existsSync(file) && !/^State:\s+Z/m.test(readFileSync(file, 'utf8'));
}
