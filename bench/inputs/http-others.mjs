// The clients of bench/http.mjs that capture and subscribe, on a thread of their own: what they take
// long to read does not make the answers of the others look late.
import { parentPort, workerData } from 'node:worker_threads';
import { connect } from './http-client.mjs';
import { pause, thinkFor } from './think-time.mjs';

const { server, indexes, seconds, think_ms } = workerData;
const captures = [
  ['perf_cpu_profile', { duration_seconds: 1 }],
  ['perf_runq_latency', { duration_seconds: 1 }],
  ['perf_syscall_count', { duration_seconds: 1 }],
  ['perf_snapshot', {}],
];

const wrong = [];
const counts = { captures: 0, busy: 0, stream_reads: 0, events: 0, notices: 0 };

const connected = [];
for (const index of indexes) connected.push([await connect(server, index), index]);
parentPort.postMessage('connected');
await new Promise((resolve) => parentPort.once('message', resolve));
const until = performance.now() + seconds * 1000;
await Promise.all(connected.map(([client, index]) => serve(client, index)));
parentPort.postMessage({ wrong, counts });

async function serve(client, index) {
  await pause(Math.random() * think_ms[1]);
  try {
    if (index % 10 === 7) await capture(client, index);
    else await subscribe(client);
  } catch (error) {
    wrong.push(`client ${index}: ${error.message}`);
  } finally {
    client.end();
  }
}

async function capture(client, index) {
  for (let turn = index; performance.now() < until; turn++) {
    const [name, args] = captures[turn % captures.length];
    const result = await client.ask('tools/call', { name, arguments: args });
    const { success, tool, error } = JSON.parse(result.content[0].text);
    counts.captures += 1;
    // One of a kind runs at a time: the others are told when to come again, as on a machine too busy.
    if (error?.code === 'PROFILER_BUSY' || error?.code === 'TIMEOUT') counts.busy += 1;
    else if (!success || tool !== name)
      wrong.push(`${name}: ${JSON.stringify(result).slice(0, 300)}`);
    await thinkFor(think_ms);
  }
}

/** Each record comes once and in order, or is counted as dropped. */
async function subscribe(client) {
  let isNews = true;
  let after = 0;
  const listening = await client.listen(() => {
    isNews = true;
    counts.notices += 1;
  });
  while (performance.now() < until) {
    await thinkFor(think_ms);
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
