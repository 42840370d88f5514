// 200 clients at once over HTTP, of both protocol eras: cheap reads, captures, and subscribers that
// read what they are told of. Every answer is checked. Prints how long cheap reads take beside what
// they take alone, and how the memory of the server goes. Exit code 2: a wrong answer; 1: over budget,
// which a machine that is busy otherwise misses. Run: node bench/http.mjs [seconds [clients]]
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const budget = { times_unloaded: 10, heap_mb: 20 };
const seconds = Number(process.argv[2] ?? 20);
const clients = Number(process.argv[3] ?? 200);
/** Between two requests of a client, as of an assistant that looks at what it got. */
const think_ms = [500, 1500];
const stream = 'events://stream?types=system_stat,fork,exit';

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
const captures = [
  ['perf_cpu_profile', { duration_seconds: 1 }],
  ['perf_runq_latency', { duration_seconds: 1 }],
  ['perf_syscall_count', { duration_seconds: 1 }],
  ['perf_snapshot', {}],
];

const folder = mkdtempSync(join(tmpdir(), 'tracewright-bench-http-'));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const wrong = [];
const counts = { cheap: 0, captures: 0, busy: 0, stream_reads: 0, events: 0, notices: 0 };
let topology = {};
const server = await start();
process.once('SIGTERM', () => {
  server.child.kill('SIGKILL');
  process.exit(143);
});
try {
  const alone = await connect(0);
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

/** A client of the one era or the other, with connections of its own. */
async function connect(index) {
  const isModern = index % 2 === 1;
  const agent = new Agent({ keepAlive: true });
  const clientInfo = { name: `bench-${index}`, version: '0' };
  const headers = {
    authorization: `Bearer ${server.token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(isModern ? { 'mcp-protocol-version': '2026-07-28' } : {}),
  };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  let id = index * 1_000_000;

  /** Tells of each message; the promise is that of the head of the answer, and then of its end. */
  function send(method, body, own, onMessage) {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: server.port,
          path: '/mcp',
          method,
          agent,
          headers: { ...headers, ...own },
        },
        (response) => {
          const { statusCode } = response;
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
            for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
              const data = /^data: (.*)$/m.exec(text.slice(0, end));
              text = text.slice(end + 2);
              if (data) onMessage(JSON.parse(data[1]));
            }
          });
          response.once('error', () => {});
          const ended = new Promise((over) => {
            response.once('close', () => {
              if (text.startsWith('{')) onMessage(JSON.parse(text));
              over();
            });
          });
          resolve({ statusCode, headers: response.headers, ended, stop: () => sent.destroy() });
        },
      );
      sent.once('error', reject);
      sent.end(body === null ? undefined : JSON.stringify(body));
    });
  }

  async function ask(method, params, onMessage = () => {}) {
    id += 1;
    const mine = id;
    const named = params.name ?? params.uri;
    const own = isModern
      ? { 'mcp-method': method, ...(named === undefined ? {} : { 'mcp-name': named }) }
      : {};
    const full = isModern ? { ...params, _meta: meta } : params;
    let answer = null;
    const {
      statusCode,
      headers: got,
      ended,
    } = await send('POST', { jsonrpc: '2.0', id: mine, method, params: full }, own, (message) => {
      if (message.id === mine) answer = message;
      else onMessage(message);
    });
    if (got['mcp-session-id']) headers['mcp-session-id'] = got['mcp-session-id'];
    await ended;
    if (statusCode !== 200 || answer?.result === undefined) {
      throw new Error(`${method}: ${statusCode} ${JSON.stringify(answer).slice(0, 300)}`);
    }
    return answer.result;
  }

  if (isModern) await ask('server/discover', {});
  else await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });

  /** Subscribes; ends with `stop`. */
  async function listen(onNotice) {
    const take = ({ method }) => {
      if (method === 'notifications/resources/updated') onNotice();
    };
    if (isModern) {
      id += 1;
      const params = { notifications: { resourceSubscriptions: [stream] }, _meta: meta };
      const body = { jsonrpc: '2.0', id, method: 'subscriptions/listen', params };
      return await send('POST', body, { 'mcp-method': 'subscriptions/listen' }, take);
    }
    const listening = await send('GET', null, {}, take);
    await ask('resources/subscribe', { uri: stream });
    return listening;
  }

  return { isModern, ask, listen, end: () => agent.destroy() };
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

async function underLoad() {
  const times = Object.fromEntries(Object.keys(cheap).map((kind) => [kind, []]));
  const connected = [];
  for (let index = 1; index <= clients; index++) connected.push(await connect(index));
  const until = performance.now() + seconds * 1000;
  const each = async (client, index) => {
    await pause(Math.random() * think_ms[1]);
    const role = index % 10;
    try {
      if (role < 7) await readCheaply(client, index, until, times);
      else if (role < 8) await capture(client, index, until);
      else await subscribe(client, until);
    } finally {
      client.end();
    }
  };
  const all = connected.map((client, at) =>
    each(client, at + 1).catch((error) => wrong.push(`client ${at + 1}: ${error.message}`)),
  );
  await Promise.all(all);
  return times;
}

async function readCheaply(client, index, until, times) {
  const kinds = Object.keys(cheap);
  for (let turn = index; performance.now() < until; turn++) {
    const kind = kinds[turn % kinds.length];
    times[kind].push(await cheapRead(client, kind));
    counts.cheap += 1;
    await think();
  }
}

async function capture(client, index, until) {
  for (let turn = index; performance.now() < until; turn++) {
    const [name, args] = captures[turn % captures.length];
    const result = await client.ask('tools/call', { name, arguments: args });
    const { success, tool, error } = JSON.parse(result.content[0].text);
    counts.captures += 1;
    // One of a kind runs at a time: the others are told when to come again, as on a machine too busy.
    if (error?.code === 'PROFILER_BUSY' || error?.code === 'TIMEOUT') counts.busy += 1;
    else if (!success || tool !== name)
      wrong.push(`${name}: ${JSON.stringify(result).slice(0, 300)}`);
    await think();
  }
}

/** Each record comes once and in order, or is counted as dropped. */
async function subscribe(client, until) {
  let isNews = true;
  let after = 0;
  const listening = await client.listen(() => {
    isNews = true;
    counts.notices += 1;
  });
  while (performance.now() < until) {
    await think();
    if (!isNews) continue;
    isNews = false;
    const uri = client.isModern ? `events://stream?after=${after}` : 'events://stream';
    const { contents } = await client.ask('resources/read', { uri });
    const lines = contents[0].text.trimEnd().split('\n');
    const [cursor, ...events] = lines.map((line) => JSON.parse(line)).reverse();
    const dropped = Object.values(cursor.dropped).reduce((sum, each) => sum + each, 0);
    const seqs = events.map(({ seq }) => seq).reverse();
    const isInOrder = seqs.every((seq, at) => seq > (seqs[at - 1] ?? after));
    const addsUp = cursor.seen === cursor.delivered + cursor.hidden + dropped;
    if (!isInOrder || !addsUp || cursor.delivered !== seqs.length) {
      wrong.push(`stream behind ${after}: ${JSON.stringify({ cursor, seqs }).slice(0, 400)}`);
    }
    after = cursor.next_seq;
    counts.stream_reads += 1;
    counts.events += seqs.length;
  }
  listening.stop();
}

/** CPU time in seconds: of the server, and of the whole machine. */
function cpuSeconds() {
  const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [user, nice, system, idle, iowait] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/ +/)
    .slice(1)
    .map(Number);
  const busy = (user + nice + system) / 100;
  const { user: ours_us, system: ours_system_us } = process.cpuUsage();
  return {
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
      return { first: samples[0][1], last: samples.at(-1)[1], slope: slopeOf(late), cpu };
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

function think() {
  return pause(think_ms[0] + Math.random() * (think_ms[1] - think_ms[0]));
}

function report(unloaded, loaded, memory) {
  console.log(`${clients} clients, ${seconds} s: ${JSON.stringify(counts)}`);
  console.log(
    '| cheap read | alone p50 ms | alone p99 ms | under load p50 ms | p99 ms | p99 / alone p50 |',
  );
  let worst = 0;
  for (const kind of Object.keys(cheap)) {
    const p50 = quantile(unloaded[kind], 0.5);
    const p99 = quantile(loaded[kind], 0.99);
    worst = Math.max(worst, p99 / p50);
    const numbers = [p50, quantile(unloaded[kind], 0.99), quantile(loaded[kind], 0.5), p99];
    const cells = numbers.map((ms) => ms.toFixed(2));
    console.log(`| ${kind} | ${cells.join(' | ')} | ${(p99 / p50).toFixed(1)} |`);
  }
  const { first, last, slope, cpu, heap_before, heap_after } = memory;
  const others = cpu.busy - cpu.server - cpu.captures - cpu.clients;
  const share = (of) => `${((100 * of) / cpu.all).toFixed(0)} %`;
  console.log(
    `CPU of the machine: server ${share(cpu.server)}, its captures ${share(cpu.captures)}, clients ${share(cpu.clients)}, others ${share(others)}, idle ${share(cpu.all - cpu.busy)}`,
  );
  console.log(
    `RSS of the server ${first.toFixed(0)} MB at first, ${last.toFixed(0)} MB at last; slope of the second half ${slope.toFixed(1)} MB/min; in use after a collection ${heap_before.toFixed(1)} MB, then ${heap_after.toFixed(1)} MB`,
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
