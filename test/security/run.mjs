// What `npm run test:security` runs. Side by side: what starts captures, kills and mounts on this host,
// and what only computes. Then, with nothing beside it, 200 clients over HTTP for two minutes, of which
// a wrong answer is a failure; times over budget are said, since they are the machine's, too.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';

const onHost = ['kills', 'faults', 'zoo', 'zoo-terminal', 'bpf-stats', 'folders'];
const wrongAnswers = 2;
/** Twenty minutes for all of it. */
const signal = AbortSignal.timeout(1_200_000);
signal.addEventListener('abort', () => console.error('It took more than 20 minutes.'));

const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
const isOnHost = (file) => onHost.includes(file.slice(0, -'.test.ts'.length));
const env = { ...process.env, TRACEWRIGHT_SECURITY: 'full' };

async function run(program, ...args) {
  if (signal.aborted) return null;
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env, signal });
  child.on('error', () => {});
  return await new Promise((resolve) => child.once('close', resolve));
}

const tests = (files) =>
  run('vitest', 'run', '--silent=false', ...files.map((file) => `test/security/${file}`));

const ended = await Promise.all([
  tests(all.filter(isOnHost)),
  tests(all.filter((file) => !isOnHost(file))),
]);
const load = await run(process.execPath, 'bench/http.mjs', '120', '200');
const failed = ended.some((code) => code !== 0) || load === wrongAnswers || load === null;
process.exitCode = failed ? 1 : 0;
