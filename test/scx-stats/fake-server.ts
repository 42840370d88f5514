import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

type Args = Readonly<Record<string, string>>;

/** Reads a target for one connection; the first call on a connection opens its session. */
type Reader = (args: Args) => unknown;

export type FakeScheduler = Readonly<{
  path: string;
  /** Lines that came, in order, over all connections. */
  requests: readonly string[];
  connections(): Readonly<{ open: number; ever: number }>;
  /** Adds to the counter that deltas and absolute values are made of. */
  count(events: number): void;
  /** Closes the connection after half of the answer to `stats`, so many times from now on. */
  tear(answers: number): void;
  /** Ends as a killed scheduler does: connections drop, the socket file stays. */
  stop(): Promise<void>;
}>;

export type Behavior = Readonly<{
  /** Sends answers in pieces of so many bytes, with a pause between. */
  piece_bytes?: number;
  /** As scx_lavd: a connection that opens a session takes it away from all others. */
  single_sampler?: boolean;
}>;

const u64_max = 2n ** 64n - 1n;

/**
 * A server that behaves as the crate scx_stats 1.1.4 does, error texts included: a thread for each
 * connection, sessions for each connection and target, JSON lines. What it serves: `top` (deltas
 * per connection), `gauges` (absolute), `sched_samples`, `slow` (argument ms), `hanging`, `layers`
 * (over 1 MB), `failing`, and `stats_meta`.
 */
export async function fakeScheduler(path: string, behavior: Behavior = {}): Promise<FakeScheduler> {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let counter = 0;
  let ever = 0;
  let sampler = 0;
  let torn = 0;

  const metrics = (nr_enqueued: number): object => ({
    nr_running: 3,
    nr_enqueued,
    dsq_id: 2n ** 63n + 2n,
    load: 0.1 + 0.2,
    layers: {
      batch: { util: 150.25, tasks: 12, cpus: [u64_max, 3] },
      'web.slice': { util: 20.5, tasks: 1, cpus: [] },
    },
  });

  function open(target: string): Reader | null {
    const own = ++sampler;
    const read = openers[target]?.();
    if (!read || !behavior.single_sampler) return read ?? null;
    return (args) => {
      if (sampler !== own) throw new Error('preempted by another sampler');
      return read(args);
    };
  }

  const openers: Readonly<Record<string, () => Reader>> = {
    top: () => {
      let last = counter;
      return () => {
        const grown = counter - last;
        last = counter;
        return metrics(grown);
      };
    },
    gauges: () => () => metrics(counter),
    layers: () => () => ({ nr_layers: 4000, layers: manyLayers() }),
    slow: () => async (args) => {
      await delay(Number(args['ms']));
      return metrics(0);
    },
    hanging: () => () => new Promise(() => {}),
    sched_samples: () => (args) => ({
      samples: Array.from({ length: Number(args['nr_samples'] ?? 1) }, (_, index) => ({
        pid: index + 1,
        comm: 'kworker/0:1\u001b[2J',
        dsq_id: u64_max - BigInt(index + 1),
      })),
    }),
    failing: () => () => {
      throw new Error('reading the map\n\nCaused by:\n    No such file or directory (os error 2)');
    },
  };

  async function answer(line: string, sessions: Map<string, Reader>): Promise<string> {
    try {
      return json({ errno: 0, args: { resp: await handle(parseRequest(line), sessions) } });
    } catch (error) {
      const resp = error instanceof Error ? error.message : String(error);
      return json({ errno: 22, args: { resp } });
    }
  }

  async function handle({ req, args }: Request, sessions: Map<string, Reader>): Promise<unknown> {
    if (req === 'stats_meta') return meta;
    if (req !== 'stats') throw invalid(`unknown command "${req}"`);
    const target = args['target'] ?? 'top';
    const read = sessions.get(target) ?? open(target);
    if (!read) throw invalid(`unknown stat target StatsRequest { req: "${req}" }`);
    sessions.set(target, read);
    return await read(args);
  }

  async function serve(socket: Socket): Promise<void> {
    const sessions = new Map<string, Reader>();
    for await (const line of createInterface({ input: socket })) {
      requests.push(line);
      const text = `${await answer(line, sessions)}\n`;
      if (torn > 0 && line.includes('"stats"')) {
        torn--;
        socket.end(text.slice(0, text.length / 2));
      } else await write(socket, text, behavior.piece_bytes ?? text.length);
    }
  }

  const server = createServer((socket) => {
    ever++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    requests,
    connections: () => ({ open: sockets.size, ever }),
    count: (events) => {
      counter += events;
    },
    tear: (answers) => {
      torn = answers;
    },
    stop: () => stopLeavingFile(server, path, sockets),
  };
}

/** Node removes the file of its socket, a killed scheduler does not. */
async function stopLeavingFile(
  server: Server,
  path: string,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  renameSync(path, `${path}.left`);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.left`, path);
}

async function write(socket: Socket, text: string, piece_bytes: number): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += piece_bytes) {
    socket.write(bytes.subarray(at, at + piece_bytes));
    if (at + piece_bytes < bytes.length) await delay(1);
  }
}

type Request = Readonly<{ req: string; args: Args }>;

function parseRequest(line: string): Request {
  const request: unknown = JSON.parse(line);
  if (typeof request !== 'object' || request === null || !('req' in request)) {
    throw new Error('missing field `req` at line 1 column 2');
  }
  const args = 'args' in request ? (request.args ?? {}) : {};
  const odd = Object.values(args).find((value) => typeof value !== 'string');
  if (odd !== undefined) throw new Error(`invalid type: integer \`${odd}\`, expected a string`);
  return { req: String(request.req), args: Object.fromEntries(Object.entries(args)) };
}

const invalid = (cause: string): Error =>
  new Error(`Invalid argument (os error 22)\n\nCaused by:\n    ${cause}`);

/** JSON with whole 64-bit integers, as Rust writes them. */
function json(value: unknown): string {
  const marked = JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `<integer ${each}>` : each,
  );
  return marked.replace(/"<integer (\d+)>"/g, '$1');
}

/** As scx_layered on a large machine: some 1.5 MB. */
function manyLayers(): Readonly<Record<string, object>> {
  const layer = (index: number): object => ({
    util: index / 100,
    tasks: index,
    cpus: [u64_max, u64_max],
    llc_lats: Array.from({ length: 64 }, (_, llc) => llc + 0.5),
  });
  return Object.fromEntries(
    Array.from({ length: 4000 }, (_, index) => [`layer-${index}`, layer(index)]),
  );
}

const meta = {
  Layer: {
    name: 'Layer',
    desc: 'one layer',
    fields: { util: { datum: 'float', desc: 'CPU utilization (100% means one full CPU)' } },
  },
  Metrics: {
    name: 'Metrics',
    top: 'true',
    fields: {
      nr_running: { datum: 'u64', desc: 'tasks running now' },
      layers: { dict: { key: 'string', datum: { struct: 'Layer' } }, desc: 'by layer' },
    },
  },
};
