// The live tests once more, with what they measure run by a helper: first one that a socket starts,
// with the capabilities of the unit, then one that sudo starts. About 13 minutes each; needs root, and
// adds to the audit of this host.
// Run: npm run test:helper [-- socket|sudo]
import { spawnSync } from 'node:child_process';

const chosen = process.argv.slice(2);
for (const route of chosen.length > 0 ? chosen : ['socket', 'sudo']) {
  console.log(`\nthrough ${route}`);
  const { status, signal } = spawnSync(process.execPath, ['test/run.mjs', '--project', 'live'], {
    stdio: 'inherit',
    env: { ...process.env, TRACEWRIGHT_LIVE_HELPER: route },
  });
  if (status !== 0) process.exitCode = 1;
  if (signal !== null) break;
}
