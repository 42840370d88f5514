// 200 clients at once over HTTP, of both protocol eras: cheap reads, captures, and subscribers that
// read what they are told of. Every answer is checked. Prints how long cheap reads take beside what
// they take alone, and how the memory of the server goes. Exit code 2: a wrong answer; 1: over budget,
// which a machine that is busy otherwise misses.
// Run: node bench/http.mjs [seconds [clients [least_ms most_ms]]]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connect } from './inputs/http-client.mjs';
import { pause, thinkFor } from './inputs/think-time.mjs';

const budget = { times_unloaded: 10, heap_mb: 20 };
const seconds = Number(process.argv[2] ?? 20);
const clients = Number(process.argv[3] ?? 200);
const think_ms = [Number(process.argv[4] ?? 500), Number(process.argv[5] ?? 1500)];
const cheap = {
  'tools/call get_topology': {
    method: 'tools/call',
    params: { name: 'get_topology', arguments: {} },
    check: ({ structuredContent: { data } }) => data.summary.total_cpus === topology.total_cpus,
  },
  'resources/read scheduler://current': {
    method: 'resources/read',
    params: { uri: 'scheduler://current' },
    check: ({ contents: [{ uri, text }] }) =>
      uri === 'scheduler://current' && typeof JSON.parse(text) === 'object',
  },
  'prompts/list': {
    method: 'prompts/list',
    params: {},
    check: ({ prompts }) => prompts.some(({ name }) => name === 'debug_high_latency'),
  },
};
const folder = mkdtempSync(join(tmpdir(), 'tracewright-bench-http-'));
const wrong = [];
let counts = {};
let topology = {};
const server = await start();
process.once('SIGTERM', () => {
  server.child.kill('SIGKILL');
  process.exit(143);
});
try {
  const alone = await connect(server, 0);
  const first = await alone.ask('tools/call', cheap['tools/call get_topology'].params);
  topology = first.structuredContent.data.summary;
  const unloaded = await measureAlone(alone);
  const memory = watchMemory();
  const heap_before = await heapMb();
  const loaded = await underLoad();
  const rss = memory.end();
  report(unloaded, loaded, { ...rss, heap_before, heap_after: await heapMb() });
} finally {
  server.child.kill('SIGTERM');
  await server.exited;
  rmSync(folder, { recursive: true, force: true });
}

async function start() {
  const args = ['mcp', '--http', '--daemon', '--port', '0', '--state-dir', folder];
  const heap = [
    '--expose-gc',
    `--require=${join(import.meta.dirname, 'inputs/heap-on-signal.cjs')}`,
  ];
  const bundle = join(dirname(import.meta.dirname), 'dist/cli.js');
  const child = spawn(process.execPath, [...heap, bundle, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  const port = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(said)));
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('token is in')) resolve(Number(/127\.0\.0\.1:(\d+)/.exec(said)[1]));
    });
  });
  const token = readFileSync(join(folder, 'http-token'), 'utf8').trim();
  return { child, exited, port, token, said: () => said };
}

/** How long each kind of cheap read takes when nobody else asks. */
async function measureAlone(client) {
  const times = Object.fromEntries(Object.keys(cheap).map((kind) => [kind, []]));
  for (let round = 0; round < Math.min(120, 30 + seconds); round++) {
    for (const kind of Object.keys(cheap)) {
      const took = await cheapRead(client, kind);
      if (round >= 20) times[kind].push(took);
    }
    // Below the 50 requests a second that a session may send.
    await pause(70);
  }
  return times;
}

async function cheapRead(client, kind) {
  const { method, params, check } = cheap[kind];
  const started = performance.now();
  const result = await client.ask(method, params);
  const took = performance.now() - started;
  if (!check(result)) wrong.push(`${kind}: ${JSON.stringify(result).slice(0, 300)}`);
  return took;
}

/** Seven clients of ten read cheaply; of the others one captures and two subscribe. */
async function underLoad() {
  const times = Object.fromEntries(Object.keys(cheap).map((kind) => [kind, []]));
  const indexes = Array.from({ length: clients }, (_, at) => at + 1);
  const isReader = (index) => index % 10 < 7;
  const others = await startOthers(indexes.filter((index) => !isReader(index)));
  const readers = [];
  for (const index of indexes.filter(isReader)) readers.push([await connect(server, index), index]);
  const ended = others.run();
  const until = performance.now() + seconds * 1000;
  const all = readers.map(async ([client, index]) => {
    await pause(Math.random() * think_ms[1]);
    try {
      await readCheaply(client, index, until, times);
    } catch (error) {
      wrong.push(`client ${index}: ${error.message}`);
    } finally {
      client.end();
    }
  });
  await Promise.all(all);
  const theirs = await ended;
  wrong.push(...theirs.wrong);
  const answers = Object.values(times).reduce((sum, each) => sum + each.length, 0);
  counts = { cheap: answers, ...theirs.counts };
  return times;
}

/** Resolves when all of them are connected. */
async function startOthers(indexes) {
  const { port, token } = server;
  const workerData = { server: { port, token }, indexes, seconds, think_ms };
  const worker = new Worker(new URL('./inputs/http-others.mjs', import.meta.url), { workerData });
  const told = () => once(worker, 'message').then(([message]) => message);
  await told();
  return {
    run() {
      worker.postMessage('start');
      return told();
    },
  };
}

async function readCheaply(client, index, until, times) {
  const kinds = Object.keys(cheap);
  for (let turn = index; performance.now() < until; turn++) {
    const kind = kinds[turn % kinds.length];
    times[kind].push(await cheapRead(client, kind));
    await thinkFor(think_ms);
  }
}

/** CPU time in seconds: of the server, and of the whole machine. `waited`: ready and without a CPU. */
function cpuSeconds() {
  const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [user, nice, system, idle, iowait] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/ +/)
    .slice(1)
    .map(Number);
  const busy = (user + nice + system) / 100;
  const { user: ours_us, system: ours_system_us } = process.cpuUsage();
  const [, waited_ns] = readFileSync(`/proc/${server.child.pid}/schedstat`, 'utf8').split(' ');
  return {
    waited: Number(waited_ns) / 1e9,
    server: (Number(fields[11]) + Number(fields[12])) / 100,
    captures: (Number(fields[13]) + Number(fields[14])) / 100,
    clients: (ours_us + ours_system_us) / 1e6,
    busy,
    all: busy + (idle + iowait) / 100,
  };
}

/** What the server still holds after a collection: RSS has garbage in it that nobody needed to collect. */
async function heapMb() {
  const file = join(folder, 'heap');
  server.child.kill('SIGUSR2');
  while (!existsSync(file)) await pause(50);
  const mb = Number(readFileSync(file, 'utf8'));
  rmSync(file);
  return mb;
}

function watchMemory() {
  const before = cpuSeconds();
  const samples = [];
  const started = performance.now();
  const take = () => {
    const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    const mb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) / 1000;
    samples.push([(performance.now() - started) / 60_000, mb]);
  };
  take();
  const timer = setInterval(take, 1000);
  return {
    end() {
      clearInterval(timer);
      take();
      // What fills once, the ring and the heap, does so in the first half.
      const late = samples.slice(samples.length >> 1);
      const after = cpuSeconds();
      const cpu = Object.fromEntries(Object.keys(after).map((of) => [of, after[of] - before[of]]));
      const quarters = [0, 0.25, 0.5, 0.75, 1].map((part) => part * (samples.length - 1));
      const levels = quarters.map((at) => samples[Math.round(at)][1]);
      return { levels, slope: slopeOf(late), cpu, minutes: samples.at(-1)[0] };
    },
  };
}

/** Least squares. */
function slopeOf(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const top = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return top / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** How many times the p50 alone the p99 under load is. */
function printRow(kind, unloaded, loaded) {
  const p50 = quantile(unloaded, 0.5);
  const p99 = quantile(loaded, 0.99);
  const cells = [p50, quantile(unloaded, 0.99), quantile(loaded, 0.5), p99].map((ms) =>
    ms.toFixed(2),
  );
  console.log(`| ${kind} | ${cells.join(' | ')} | ${(p99 / p50).toFixed(1)} |`);
  return p99 / p50;
}

function report(unloaded, loaded, memory) {
  console.log(
    `${clients} clients, each ${think_ms.join(' to ')} ms after its last answer, ${seconds} s: ${JSON.stringify(counts)}`,
  );
  console.log(
    '| cheap read | alone p50 ms | alone p99 ms | under load p50 ms | p99 ms | p99 / alone p50 |',
  );
  const worst = Math.max(
    ...Object.keys(cheap).map((kind) => printRow(kind, unloaded[kind], loaded[kind])),
  );
  printRow('all', Object.values(unloaded).flat(), Object.values(loaded).flat());
  const { levels, slope, cpu, minutes, heap_before, heap_after } = memory;
  const others = cpu.busy - cpu.server - cpu.captures - cpu.clients;
  const share = (of) => `${((100 * of) / cpu.all).toFixed(0)} %`;
  console.log(
    `CPU of the machine: server ${share(cpu.server)}, its captures ${share(cpu.captures)}, clients ${share(cpu.clients)}, others ${share(others)}, idle ${share(cpu.all - cpu.busy)}`,
  );
  const waited_ms = (cpu.waited * 1000) / (minutes * 60);
  console.log(`the server waited for a CPU ${waited_ms.toFixed(0)} ms of each second`);
  const rss = levels.map((mb) => mb.toFixed(0)).join(', ');
  console.log(
    `RSS of the server ${rss} MB at each quarter; slope of the second half ${slope.toFixed(1)} MB/min; in use after a collection ${heap_before.toFixed(1)} MB, then ${heap_after.toFixed(1)} MB`,
  );
  console.log(`wrong answers: ${wrong.length}`);
  for (const each of wrong.slice(0, 10)) console.log(`  ${each}`);
  const over = [
    wrong.length > 0 ? 'wrong answers' : '',
    worst > budget.times_unloaded ? `p99 above ${budget.times_unloaded} x` : '',
    heap_after - heap_before > budget.heap_mb ? 'memory grows' : '',
  ].filter((each) => each !== '');
  if (over.length > 0) console.log(`over budget: ${over.join(', ')}`);
  if (wrong.length > 0) process.exitCode = 2;
  else if (over.length > 0) process.exitCode = 1;
}
