import { readFileSync, readlinkSync } from 'node:fs';
import { approve } from '../../allowlist/command.ts';
import { run } from '../../src/exec/start.ts';

/** Runs its argument as a tracer, twice, and prints what that saw, and what this process has mounted. */
const [file = ''] = process.argv.slice(2);
const tracer = approve({
  program: { name: 'test', candidates: [file], packages: { apt: '', dnf: '' } },
  args: [],
  limits: { duration_ms: 10_000, output_bytes: 1000 },
  needsTracefs: true,
});
const { stdout } = await run(tracer);
const again = await run(tracer);
const [seen, namespace] = stdout.trim().split('\n');
console.log(
  JSON.stringify({
    seen,
    own_namespace: namespace === readlinkSync('/proc/self/ns/mnt'),
    same_again: again.stdout === stdout,
    mounted: readFileSync('/proc/self/mounts', 'utf8').includes(' tracefs '),
  }),
);
