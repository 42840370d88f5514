import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { run } from './lib/program.ts';
import { loadScheduler, unloadScheduler } from './lib/scheduler.ts';
import { startServer } from './lib/server.ts';

// What the queue statistics cost: two tasks that wake each other over a pipe as fast as they can,
// under the fifo scheduler, with the statistics attached and without, in turns. Every message is an
// insert and a switch, so this is about the worst that a load can do. The emulator that the lab runs
// on makes BPF dearer than it is on a processor.

const rounds = 5;
const round_s = 6;
const serial_line = '/dev/ttyS1';

const Queues = z.looseObject({
  attached: z.string(),
  dsqs: z.array(z.looseObject({ nr_enqueues: z.number() })),
});

/** To the host, which prints it. */
function say(line: string): void {
  console.log(line);
  appendFileSync(serial_line, `${JSON.stringify({ type: 'bench', line })}\n`);
}

/** Round trips per second of so many. */
async function throughput(loops: number): Promise<number> {
  const printed = await run('perf', 'bench', 'sched', 'pipe', '-l', String(loops));
  const seconds = Number(/Total time:\s+([\d.]+)/.exec(printed)?.[1]);
  return loops / seconds;
}

/** The same while a server watches the queues; also how many inserts it saw, and by which probe. */
async function watched(loops: number) {
  const server = await startServer('--daemon');
  const queues = () => server.read('stats://aggregated/dsq?window_ms=500', Queues);
  try {
    await queues();
    const per_s = await throughput(loops);
    const { dsqs, attached } = await queues();
    return { per_s, attached, inserts: dsqs.reduce((sum, row) => sum + row.nr_enqueues, 0) };
  } finally {
    await server.close();
    await untilGone();
  }
}

/** The tracer ends with its server, a moment later. */
async function untilGone(): Promise<void> {
  while ((await run('sh', '-c', 'pgrep -c bpftrace || true')).trim() !== '0') await pause(100);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

await loadScheduler('fifo');
try {
  const loops = Math.round((await throughput(2000)) * round_s);
  const bare: number[] = [];
  const traced: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) bare.push(await throughput(loops));
    const { per_s, attached, inserts } = await watched(loops);
    traced.push(per_s);
    if (round % 2 === 1) bare.push(await throughput(loops));
    if (round === 0) say(`attached: ${attached}`);
    // Each round trip is a wakeup of both tasks.
    if (inserts < loops) throw new Error(`${inserts} inserts seen of ${loops} round trips`);
    say(
      `round ${round + 1}: ${bare[round]?.toFixed(0)} round trips/s without, ${per_s.toFixed(0)} with the queue statistics`,
    );
  }
  const ratios = traced.map((each, round) => each / (bare[round] ?? Number.NaN));
  say(
    `sched pipe under lab_fifo, median of ${rounds} rounds in turns: ${median(bare).toFixed(0)} round trips/s without, ` +
      `${median(traced).toFixed(0)} with; ratio ${(median(traced) / median(bare)).toFixed(3)} ` +
      `(${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}); emulated CPUs`,
  );
} finally {
  await unloadScheduler();
}
