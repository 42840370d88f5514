// Runs every benchmark beside this file, one after the other. `npm run bench -- NAME` runs one.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const wanted = process.argv[2];
const here = import.meta.dirname;
const names = readdirSync(here)
  .filter((name) => name.endsWith('.mjs') && name !== 'run.mjs')
  .map((name) => name.slice(0, -'.mjs'.length))
  .filter((name) => wanted === undefined || name === wanted);

for (const name of names) {
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, [`${here}/${name}.mjs`], { stdio: 'inherit' });
  if (status !== 0) {
    console.log(`${name}: over budget or failed (exit code ${status})`);
    process.exitCode = 1;
  }
}
