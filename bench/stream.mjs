// The event stream under load: what reaches an MCP client that reads all of it, beside the same
// bpftrace program that writes to a file, in the same run; what that costs the workload, the server
// and its memory. Needs root, bpftrace, perf and stress-ng. Run: node bench/stream.mjs [rounds]
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { bundled } from './bundled.mjs';

const budget = { delivered_share: 0.95, slowdown: 1.1, rss_mb: 200 };
const rounds = Number(process.argv[2] ?? 3);
const workloads = {
  'perf bench sched pipe': ['perf', ['bench', 'sched', 'pipe', '-l', '100000']],
  'stress-ng --switch': ['stress-ng', ['--switch', '1', '--switch-ops', '400000', '--quiet']],
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const missing = ['bpftrace', 'perf', 'stress-ng'].filter(
  (name) => spawnSync('which', [name]).status !== 0,
);
if (process.getuid() !== 0) missing.push('root');
if (missing.length > 0) {
  console.log(`not run: ${missing.join(', ')} missing`);
  process.exit(0);
}

const checkout = dirname(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), 'tracewright-bench-'));
try {
  const command = await captureCommand();
  const rows = [];
  for (const [name, workload] of Object.entries(workloads)) {
    const all = { bare: [], file: [], server: [] };
    for (let round = 0; round < rounds; round++) {
      all.bare.push({ ms: await timed(workload) });
      all.file.push(await toFile(command, workload));
      all.server.push(await toClient(workload));
    }
    rows.push(row(name, all));
  }
  const idle = await unread();
  report(rows, idle);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The bpftrace command that the server starts for a subscription. */
async function captureCommand() {
  const outfile = join(folder, 'bundle.mjs');
  await bundled(
    `export { createContext } from './src/context.ts';
      export { chooseTypes, ownTypes } from './src/collectors/event-types.ts';
      export { wholeFilter } from './src/collectors/whole-filter.ts';
      export { startEventTracer } from './src/collectors/event-tracer.ts';`,
    outfile,
  );
  const { createContext, chooseTypes, ownTypes, wholeFilter, startEventTracer } = await import(
    pathToFileURL(outfile).href
  );
  const ctx = createContext({ daemon: true, readOnly: false });
  const call = { signal: new AbortController().signal, progress() {} };
  const { types } = await chooseTypes(ctx, null, call);
  const filter = wholeFilter(types.filter((type) => !ownTypes.has(type)));
  let captured;
  const start = (command) => {
    captured = command;
    return Promise.reject(new Error('captured'));
  };
  const script = (name) => {
    const path = join(checkout, 'scripts/bpftrace', `${name}.bt`);
    return { path, text: readFileSync(path, 'utf8') };
  };
  await startEventTracer({ ...ctx, script, start }, filter, () => {}, call).catch((error) => {
    if (captured === undefined) throw error;
  });
  return captured;
}

function timed([program, args]) {
  const started = performance.now();
  const child = spawn(program, args, { stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve(performance.now() - started));
  });
}

/** The same program without us: bpftrace writes to a file. */
async function toFile({ args, environment }, workload) {
  const path = join(folder, 'events.txt');
  const fd = openSync(path, 'w');
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...environment };
  // It has no tracefs of its own, where the server gives one to what it starts.
  const tracefs = '/sys/kernel/tracing';
  const mounted = `mountpoint -q ${tracefs} || mount -t tracefs nodev ${tracefs}`;
  const words = ['--mount', 'sh', '-c', `${mounted}; exec bpftrace "$@"`, 'bpftrace', ...args];
  const child = spawn('unshare', words, { stdio: ['ignore', fd, 'ignore'], env });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // Its first line comes when it has attached.
  while (!/^[@#]/m.test(readFileSync(path, 'latin1'))) {
    if (child.exitCode !== null) throw new Error(`bpftrace ended with ${child.exitCode}`);
    await pause(100);
  }
  await pause(500);
  const before = statSync(path).size;
  const ms = await timed(workload);
  await pause(1000);
  const after = statSync(path).size;
  child.kill('SIGINT');
  await ended;
  closeSync(fd);
  const bytes = readFileSync(path);
  const records = countRecords(bytes.subarray(before, after));
  return {
    ms,
    records,
    made: lastCount(bytes.subarray(0, after)) - lastCount(bytes.subarray(0, before)),
  };
}

/** What the program itself says how many records it made. */
function lastCount(bytes) {
  const at = bytes.lastIndexOf('@seen: ');
  return at < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at + 7, at + 27), 10);
}

function countRecords(bytes) {
  let count = 0;
  for (let at = 0; at >= 0 && at < bytes.length; ) {
    if (bytes[at] >= 97 && bytes[at] <= 122) count += 1;
    const end = bytes.indexOf(10, at);
    at = end < 0 ? -1 : end + 1;
  }
  return count;
}

/** A server in daemon mode with a client that reads all that it is told of. */
async function toClient(workload) {
  const server = connect();
  await server.ask('resources/subscribe', { uri: 'events://stream' });
  await pause(500);
  await server.readAll();
  const before = { cpu_s: cpuSeconds(server.pid), ...server.counts() };
  const reading = server.keepReading();
  const ms = await timed(workload);
  await pause(1000);
  await reading.end();
  const after = { cpu_s: cpuSeconds(server.pid), ...server.counts() };
  const rss_mb = peakRss(server.pid);
  await server.end();
  const grown = (name) => after[name] - before[name];
  return {
    ms,
    rss_mb,
    records: grown('delivered'),
    made: grown('seen'),
    lost: grown('lost'),
    overwritten: grown('overwritten'),
    cpu_s: grown('cpu_s'),
  };
}

/** A minute of load with a client that does not read: memory must not grow with it. */
async function unread() {
  const server = connect();
  await server.ask('resources/subscribe', { uri: 'events://stream' });
  await timed(['stress-ng', ['--switch', '2', '--timeout', '60', '--quiet']]);
  const rss_mb = peakRss(server.pid);
  const { result } = await server.ask('tools/call', {
    name: 'control_event_tracking',
    arguments: { action: 'status' },
  });
  const { seen, server_cpu_s } = result.structuredContent.data;
  await server.end();
  return { rss_mb, seen, server_cpu_s };
}

function connect() {
  const child = spawn(process.execPath, [join(checkout, 'dist/cli.js'), 'mcp', '--daemon'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map();
  let told = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.id === undefined) told();
    else waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  let id = 0;
  const send = (message) =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = (method, params) => {
    id += 1;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    send({ id, method, params });
    return answer;
  };
  const clientInfo = { name: 'bench', version: '0' };
  send({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  });
  send({ method: 'notifications/initialized' });

  const counts = { delivered: 0, seen: 0, lost: 0, overwritten: 0 };
  const readOnce = async () => {
    const { result } = await ask('resources/read', { uri: 'events://stream?limit=50000' });
    const { text } = result.contents[0];
    let lines = -1;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
    const cursor = JSON.parse(text.slice(text.lastIndexOf('\n', text.length - 2) + 1));
    const dropped = Object.values(cursor.dropped).reduce((sum, each) => sum + each, 0);
    if (cursor.seen !== lines + dropped) throw new Error('the stream does not add up');
    counts.delivered += lines;
    counts.seen += cursor.seen;
    counts.lost += cursor.dropped.kernel_buffer;
    counts.overwritten += cursor.dropped.ring_overflow;
    return cursor.pending;
  };
  const readAll = async () => {
    while ((await readOnce()) > 1000);
  };
  return {
    pid: child.pid,
    ask,
    readAll,
    counts: () => ({ ...counts }),
    keepReading() {
      let isOver = false;
      const ended = (async () => {
        while (!isOver) {
          await new Promise((resolve) => {
            told = resolve;
            setTimeout(resolve, 300);
          });
          await readAll();
        }
        await readAll();
      })();
      return {
        end: () => {
          isOver = true;
          return ended;
        },
      };
    },
    async end() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await gone;
    },
  };
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakRss(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)[1]) / 1000;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function row(name, { bare, file, server }) {
  const of = (all, field) => median(all.map((each) => each[field]));
  // Runs make different numbers of events: what counts is how many of them arrive.
  const arrived = ({ records, made }) => records / made;
  const shares = server.map((each, round) => arrived(each) / arrived(file[round]));
  const slowdowns = server.map(({ ms }, round) => ms / file[round].ms);
  const costs = server.map(({ cpu_s, records }) => (cpu_s / records) * 1e6);
  return {
    name,
    bare_ms: of(bare, 'ms'),
    file_ms: of(file, 'ms'),
    server_ms: of(server, 'ms'),
    file_records: of(file, 'records'),
    file_share: median(file.map(arrived)),
    delivered: of(server, 'records'),
    lost: of(server, 'lost'),
    overwritten: of(server, 'overwritten'),
    delivered_share: median(shares),
    slowdown: median(slowdowns),
    cpu_s_per_million: median(costs),
    rss_mb: Math.max(...server.map(({ rss_mb }) => rss_mb)),
  };
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function report(rows, idle) {
  const columns = {
    workload: ({ name }) => name,
    'alone ms': ({ bare_ms }) => bare_ms.toFixed(0),
    'bpftrace to a file ms': ({ file_ms }) => file_ms.toFixed(0),
    'with server and client ms': ({ server_ms }) => server_ms.toFixed(0),
    'slower than bpftrace alone': ({ slowdown }) => `${slowdown.toFixed(2)} x`,
    'events in the file': ({ file_records, file_share }) =>
      `${file_records} (${percent(file_share)} of those made)`,
    'events delivered': ({ delivered }) => delivered,
    'share of the file': ({ delivered_share }) => percent(delivered_share),
    'lost in the kernel': ({ lost }) => lost,
    overwritten: ({ overwritten }) => overwritten,
    'server CPU s per million': ({ cpu_s_per_million }) => cpu_s_per_million.toFixed(2),
    'peak RSS MB': ({ rss_mb }) => rss_mb.toFixed(0),
  };
  const lines = [
    Object.keys(columns),
    ...rows.map((each) => Object.values(columns).map((of) => of(each))),
  ];
  for (const line of lines) console.log(`| ${line.join(' | ')} |`);
  console.log(
    `60 s of stress-ng --switch 2, nobody reads: ${idle.seen} events, server CPU ${idle.server_cpu_s} s, ` +
      `peak RSS ${idle.rss_mb.toFixed(0)} MB (budget ${budget.rss_mb})`,
  );
  const over = rows.some(
    ({ delivered_share, slowdown, rss_mb }) =>
      delivered_share < budget.delivered_share ||
      slowdown > budget.slowdown ||
      rss_mb > budget.rss_mb,
  );
  if (over || idle.rss_mb > budget.rss_mb) process.exitCode = 1;
}
