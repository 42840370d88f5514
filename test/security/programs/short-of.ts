import { spawnSync } from 'node:child_process';
import { approve } from '../../../allowlist/command.ts';
import { wrappers } from '../../../allowlist/programs.ts';
import { createContext } from '../../../src/context.ts';
import { TracewrightError } from '../../../src/errors.ts';
import { sudoHelper } from '../../../src/exec/sudo-helper.ts';

/**
 * Runs a program after its own limit was lowered (an option of prlimit; '' for none), and prints how
 * that ended and what it takes for the time of the kernel.
 */
const [file = '', limit = '', mode = ''] = process.argv.slice(2);
const ctx = createContext({ daemon: false, readOnly: false, helper: 'none' });
const command = approve({
  program: { name: 'test', candidates: [file], packages: { apt: '', dnf: '' } },
  args: [],
  limits: { duration_ms: 20_000, output_bytes: 1000 },
  needsTracefs: mode === 'tracefs',
});
// Found before there is nothing left to look for it with.
for (const each of [command.program, wrappers.sudo]) ctx.find(each);
const monotonic_ns = ctx.monotonicNs();
if (limit !== '') spawnSync('/usr/bin/prlimit', [`--pid=${process.pid}`, limit]);
let outcome: string;
try {
  if (mode === 'helper') sudoHelper(process.execPath, file).close();
  outcome = `answer, ${(await ctx.run(command)).stopped_by}`;
} catch (error) {
  outcome = error instanceof TracewrightError ? error.code : String(error);
}
process.stdout.write(JSON.stringify({ outcome, monotonic_ns }));
