// The live tests once more, with what they measure run by a helper: first one of a socket with the
// capabilities of the unit, then one of sudo. About 13 minutes each; needs root.
// Run: npm run test:helper [-- socket|sudo]
import { spawnSync } from 'node:child_process';

const chosen = process.argv.slice(2);
for (const route of chosen.length > 0 ? chosen : ['socket', 'sudo']) {
  console.log(`\nthrough ${route}`);
  const { status } = spawnSync(process.execPath, ['test/run.mjs', '--project', 'live'], {
    stdio: 'inherit',
    env: { ...process.env, TRACEWRIGHT_LIVE_HELPER: route },
  });
  if (status !== 0) process.exitCode = 1;
}
