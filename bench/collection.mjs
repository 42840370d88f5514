// What counting context switches costs the work that switches: `perf bench sched pipe` on one CPU
// alone, under a bpftrace one-liner that counts the same three things, and under enable_collection,
// in turn. Fails where collection slows it more than the one-liner by the budget below. Needs root.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const budget = { times_one_liner: 1.1 };
const rounds = Number(process.argv[2] ?? 9);
const operations = Number(process.argv[3] ?? 100_000);
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

const oneLiner =
  'tracepoint:sched:sched_switch { @per_cpu[cpu] = count(); @from[pid] = count(); @to[args->next_pid] = count(); }' +
  ' BEGIN { printf("ready\\n"); }';

const sides = { alone: async () => async () => {}, 'one-liner': byHand, collection };
const seconds = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
const calls = { jsonrpc: '2.0' };

if (process.geteuid() !== 0) {
  console.log('skipped: only root may trace');
} else {
  for (let round = 0; round < rounds; round++) {
    for (const [name, attach] of Object.entries(sides)) {
      const detach = await attach();
      seconds[name].push(pingPong());
      await detach();
    }
  }
  report();
}

/** Seconds that the operations took. Pinned: else they run on one CPU or on two as it happens. */
function pingPong() {
  const args = ['-c', '0', 'perf', 'bench', '-f', 'simple', 'sched', 'pipe', '-l', `${operations}`];
  return Number(execFileSync('taskset', args, { encoding: 'utf8' }).trim());
}

/** In a mount namespace of its own, since bpftrace needs tracefs and does not mount it. */
async function byHand() {
  const script = `mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing; exec bpftrace -e '${oneLiner}'`;
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') break;
  }
  child.stdout.resume();
  return async () => {
    child.kill('SIGINT');
    await ended;
  };
}

/** Through the built server, as a client has it. */
async function collection() {
  const server = spawn(process.execPath, [join(checkout, 'dist/cli.js'), 'mcp'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(server, 'close');
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  let id = 0;
  const ask = async (method, params) => {
    id += 1;
    server.stdin.write(`${JSON.stringify({ ...calls, id, method, params })}\n`);
    for (;;) {
      const { value } = await answers.next();
      const answer = JSON.parse(value);
      if (answer.id === id) return answer.result;
    }
  };
  const clientInfo = { name: 'bench', version: '0' };
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  const { isError, content } = await ask('tools/call', { name: 'enable_collection' });
  if (isError) throw new Error(content[0].text);
  return async () => {
    server.stdin.end();
    await ended;
  };
}

function report() {
  const slowdown = (name) =>
    median(seconds[name].map((each, round) => each / seconds.alone[round]));
  const us = (name) => (median(seconds[name]) / operations) * 1e6;
  for (const name of Object.keys(sides)) {
    console.log(
      `${name}: ${us(name).toFixed(2)} us per operation (best ${((Math.min(...seconds[name]) / operations) * 1e6).toFixed(2)}), ` +
        `${slowdown(name).toFixed(2)} x as long as alone`,
    );
  }
  const ratio = median(seconds.collection.map((each, round) => each / seconds['one-liner'][round]));
  console.log(
    `collection takes ${ratio.toFixed(3)} x as long as the one-liner ` +
      `(median of ${rounds} rounds of ${operations} operations; budget ${budget.times_one_liner})`,
  );
  if (ratio > budget.times_one_liner) process.exitCode = 1;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
