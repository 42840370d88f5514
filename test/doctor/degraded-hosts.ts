import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/v4';
import { programs } from '../../allowlist/programs.ts';
import { canInstall, installForTest } from '../helper/installed.ts';

const Problem = z.object({ what: z.string(), reason: z.string(), fix: z.string().nullable() });
const Check = z.object({
  name: z.string(),
  state: z.enum(['available', 'degraded', 'unavailable']),
  problems: z.array(Problem),
});
const Fact = z.object({
  value: z.unknown(),
  reason: z.string().nullable(),
  fix: z.string().nullable(),
});
const Diagnosis = z.object({
  rights: z.object({ problems: z.array(Problem) }),
  programs: z.array(z.object({ name: z.string(), fix: z.string().nullable() })),
  kernel: z.record(z.string(), Fact),
  resources: z.array(Check),
  tools: z.array(Check),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

export const mayMount: boolean =
  canInstall &&
  spawnSync('unshare', ['--mount', '--pid', '--fork', 'mount', '--bind', tmpdir(), '/mnt'])
    .status === 0;

/** Some of what Docker leaves to root. */
const of_containers =
  '-all,+chown,+dac_override,+fowner,+setuid,+setgid,+net_bind_service,+kill,+audit_write';

/** What the doctor says on this host, and on hosts that lack something that this one has. */
export function degradedHosts() {
  const installed = installForTest();
  const { folder, bundle } = installed;
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  mkdirSync(join(folder, 'bin'));
  const program = (name: string, line: string): void => {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\n${line}\n`);
    chmodSync(file, 0o755);
  };
  const own = `--state-dir '${join(folder, 'state/root')}' --audit none`;
  program('tracewright', `exec '${process.execPath}' '${bundle}' "$@" ${own}`);
  // Root needs none: what is printed behind it runs as it stands.
  program('sudo', 'exec "$@"');

  /** Runs a script of the shell in namespaces that end with it: its mounts are seen nowhere else. */
  const inNamespaces = (script: string, ...more: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const words = ['--mount', '--propagation', 'private', ...more, 'sh', '-ec', script];
      const env = { PATH: `${folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
      const limits = { timeout: 55_000, maxBuffer: 64 * 1024 * 1024, env };
      execFile('unshare', words, limits, (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message} ${stderr}`));
        else resolve(stdout);
      });
    });
  const read = (text: string): Diagnosis => Diagnosis.parse(JSON.parse(text));
  const doctor = 'tracewright doctor --json';
  const after = async (before: string): Promise<Diagnosis> =>
    read(await inNamespaces(`${before}; ${doctor}`));
  const bpftrace = programs.bpftrace.candidates.filter((each) => existsSync(each));
  return {
    asRoot: () => after(':'),
    /** As root, once a command was run. */
    after,
    /** What a command prints, as root. */
    run: (command: string) => inNamespaces(command),
    asNobody: async () => read((await installed.asNobody('doctor', '--json')).stdout),
    withoutBpftrace: () =>
      after(bpftrace.map((each) => `mount --bind /dev/null ${each}`).join('; ')),
    withoutBtf: () => after(`mount --bind '${empty}' /sys/kernel/btf`),
    async inContainer(...added: string[]) {
      const capabilities = [of_containers, ...added.map((each) => `+${each}`)].join();
      const limited = `exec setpriv --bounding-set=${capabilities} --inh-caps=-all ${doctor}`;
      return read(await inNamespaces(`mount -t proc proc /proc; ${limited}`, '--pid', '--fork'));
    },
    remove: installed.remove,
  };
}
