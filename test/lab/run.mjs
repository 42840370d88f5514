// The live lab: the packed tarball under real sched_ext schedulers, in a virtual machine.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './host/cache.mjs';
import { CannotRun, cannotRunStatus, needPrograms } from './host/cannot-run.mjs';
import { fetchKernel } from './host/kernel.mjs';
import { runMachine } from './host/machine.mjs';
import { help, readOptions } from './host/options.mjs';
import { packPayload } from './host/payload.mjs';
import { realSchedulers } from './host/real-scheduler.mjs';
import { openReport } from './host/report.mjs';
import { rootImage } from './host/root-image.mjs';
import { runProgram } from './host/run-program.mjs';

/** More failures than these are no accident. */
const most_repeated = 3;

const say = (line) => console.error(`lab: ${line}`);

// Ends through "exit", where the machine is stopped and the working folder goes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main();
} catch (error) {
  say(error.message);
  process.exitCode = error instanceof CannotRun ? cannotRunStatus : 1;
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
    return 0;
  }
  needPrograms();
  const cache = cacheFolder();
  const root = rootImage(cache, say);
  const kernel = fetchKernel(cache, options.kernel, say);
  const schedulers = realSchedulers(cache, say);
  const work = mkdtempSync(join(tmpdir(), 'tracewright-lab-'));
  process.once('exit', () => {
    if (options.keep) say(`kept ${work}`);
    else rmSync(work, { recursive: true, force: true });
  });
  const parts = { root, kernel, schedulers };
  let first = await runIn(join(work, 'first'), parts, options);
  // Emulated, a kernel panics at boot once in a hundred times.
  if (!first.booted) {
    say('the kernel did not come up: once more');
    first = await runIn(join(work, 'again'), parts, options);
  }
  const { status, failed } = first;
  // What a busy host does to a measurement it does not do twice; what is broken fails again.
  if (failed.length === 0 || failed.length > most_repeated || options.only) return status;
  say(`${failed.length} failed: once more in a new machine`);
  const only = failed.map((name) => name.replace(/[^\w ,-]/g, '.')).join('|');
  return (await runIn(join(work, 'second'), parts, { ...options, only })).status;
}

async function runIn(work, { root, kernel, schedulers }, options) {
  mkdirSync(work);
  say('packing the tarball and the tests');
  await packPayload({ ...options, work, kernel, schedulers });
  runProgram('truncate', ['-s', '256M', join(work, 'results.tar')]);
  say(`booting ${kernel.version}`);
  const report = openReport(say);
  const { shell, topology, seconds } = options;
  const onReport = report.take;
  const { timedOut } = await runMachine({ work, root, kernel, topology, seconds, shell, onReport });
  const { failed, booted } = report.end();
  const results = unpackResults(work);
  if (options.results) cpSync(results, options.results, { recursive: true });
  const status = timedOut ? 1 : statusOf(results);
  if (timedOut) say(`gave up after ${seconds} s`);
  if (!shell && (status !== 0 || options.mode === 'script')) showConsole(work, status);
  return { status, booted, failed: timedOut ? [] : failed };
}

function unpackResults(work) {
  const folder = join(work, 'results');
  mkdirSync(folder);
  runProgram('tar', ['-x', '-f', join(work, 'results.tar'), '-C', folder]);
  return folder;
}

/** What the guest's tests ended with; a guest that did not come to its end failed. */
function statusOf(results) {
  const path = join(results, 'status');
  if (existsSync(path)) return Number(readFileSync(path, 'utf8'));
  say('the guest stopped before its tests had ended');
  return 1;
}

function showConsole(work, status) {
  if (!existsSync(join(work, 'console.txt'))) return;
  const lines = readFileSync(join(work, 'console.txt'), 'utf8').replaceAll('\r', '').split('\n');
  const tail = status === 0 ? lines : lines.slice(-60);
  console.error(tail.join('\n'));
}
