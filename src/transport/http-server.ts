import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { Context } from '../context.ts';
import type { Selection } from '../selection.ts';
import { buildServer } from '../server.ts';
import { subscriptions } from '../subscriptions.ts';
import { readJson } from './http-body.ts';
import { crossOrigin, type Guard, refusalOf, refusalOfHost, tooMany } from './http-guard.ts';
import { type Refusal, refuse } from './http-refusal.ts';
import { sendReply } from './http-reply.ts';
import { httpSessions, type Served, type SessionLimits } from './http-sessions.ts';
import { statelessHttp } from './http-stateless.ts';
import type { HttpToken } from './http-token.ts';
import { plainText } from './prepared-text.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';

export type HttpLimits = SessionLimits &
  Readonly<{
    connections: number;
    /** Requests that are being answered, streams of notices left out. */
    answers: number;
    body_bytes: number;
    header_ms: number;
    request_ms: number;
    /** A client that takes nothing for so long is disconnected. */
    stall_ms: number;
    wrong_tokens_per_second: number;
  }>;

const usual: HttpLimits = {
  sessions: 256,
  busy: 16,
  per_second: 50,
  burst: 100,
  idle_ms: 600_000,
  evict_ms: 60_000,
  connections: 1024,
  answers: 512,
  body_bytes: 1024 * 1024,
  header_ms: 10_000,
  request_ms: 20_000,
  stall_ms: 30_000,
  wrong_tokens_per_second: 10,
};

export type HttpOptions = Readonly<{
  token: HttpToken;
  port: number;
  addresses: readonly string[];
  hostnames: readonly string[];
  origins: readonly string[];
  limits?: Partial<HttpLimits>;
  onerror(error: Error): void;
}>;

type Address = Readonly<{ address: string; port: number }>;

export type HttpServer = Readonly<{
  /** Where it listens. */
  addresses: readonly Address[];
  sessions(): number;
  /** Takes nothing new, lets what is being answered take so long, and ends everything. */
  close(drain_ms: number): Promise<void>;
}>;

/** MCP over Streamable HTTP, of both protocol eras, for clients that know the token. */
export async function serveHttp(
  ctx: Context,
  selection: Selection,
  options: HttpOptions,
): Promise<HttpServer> {
  const limits = { ...usual, ...options.limits };
  const { onerror } = options;
  const nowMs = ctx.monotonicMs;
  const failures = rateLimit(limits.wrong_tokens_per_second, 20, nowMs);
  const guard: Guard = { ...options, failures };
  const shared = { watch: (sink: Parameters<typeof subscriptions>[1]) => subscriptions(ctx, sink) };
  const longText = plainText;
  const sessions = httpSessions({
    ...shared,
    limits,
    nowMs,
    onerror,
    build: (watched, reader) => buildServer(ctx, selection, watched, { reader, longText }),
  });
  const stateless = statelessHttp({
    ...shared,
    onerror,
    listeners: limits.sessions,
    build: (watched) => buildServer(ctx, selection, watched, { reader: {}, longText }),
  });
  const admissions = new WeakMap<IncomingMessage['socket'], RateLimit>();
  /** Exchanges that end by themselves, and all that are on their way out. */
  const answering = new Set<Promise<void>>();
  const sending = new Set<Promise<void>>();
  let isEnding = false;

  function admitted({ socket }: IncomingMessage): boolean {
    const admit = admissions.get(socket) ?? rateLimit(limits.per_second, limits.burst, nowMs);
    admissions.set(socket, admit);
    return admit();
  }

  function refusalNow(request: IncomingMessage, isPreflight: boolean): Refusal | null {
    if (isEnding) return { status: 503, message: 'The server is ending. Connect again later.' };
    if (!admitted(request)) return tooMany(`More than ${limits.per_second} requests a second.`);
    if (isPreflight) return refusalOfHost(request, guard);
    const refused = refusalOf(request, guard);
    if (refused) return refused;
    if (answering.size < limits.answers) return null;
    const message = `${limits.answers} requests are being answered. Try again.`;
    return { status: 503, message, headers: { 'Retry-After': '1' } };
  }

  async function serve(request: IncomingMessage, out: ServerResponse): Promise<void> {
    const headers = crossOrigin(request, guard);
    const isPreflight = request.method === 'OPTIONS' && headers['Vary'] !== undefined;
    const refused = refusalNow(request, isPreflight);
    if (refused) {
      refuse(out, withHeaders(refused, headers));
      return;
    }
    if (isPreflight) {
      out.writeHead(204, headers).end();
      return;
    }
    await noted(request, answer(request, out, headers));
  }

  /** A GET is a stream of notices, which ends when one of the two wants. */
  async function noted({ method }: IncomingMessage, answered: Promise<void>): Promise<void> {
    if (method !== 'GET') answering.add(answered);
    try {
      await answered;
    } finally {
      answering.delete(answered);
    }
  }

  async function answer(
    request: IncomingMessage,
    out: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const body = request.method === 'POST' ? await readJson(request, limits.body_bytes) : noBody;
    if (body.refusal) {
      refuse(out, withHeaders(body.refusal, headers));
      return;
    }
    const { json } = body;
    const served = await route(webRequest(request, out), json);
    if ('refusal' in served) {
      refuse(out, withHeaders(served.refusal, headers), true);
      return;
    }
    const reply = sendReply(served.response, out, limits.stall_ms, headers);
    served.sent(reply);
    const over = (): void => void sending.delete(reply.done);
    sending.add(reply.done);
    reply.done.then(over, over);
    // It ends when the client wants, and is not waited for.
    if (stateless.isListening(json)) reply.done.catch(() => out.destroy());
    else await reply.done;
  }

  async function route(request: Request, body: unknown): Promise<Served> {
    const isLegacy = request.method !== 'POST' || (await isLegacyRequest(request, body));
    return isLegacy ? await sessions.serve(request, body) : await stateless.serve(request, body);
  }

  const listener = (request: IncomingMessage, out: ServerResponse): void => {
    serve(request, out).catch((error: unknown) => {
      // A client that went away while it sent something.
      if (!request.complete) out.destroy();
      else refuse(out, { status: 500, message: 'Internal error.', code: -32_603 });
      if (request.complete) onerror(error instanceof Error ? error : new Error(String(error)));
    });
  };
  const servers = await listenOn(options, limits, listener);

  return {
    addresses: servers.map(addressOf),
    sessions: sessions.count,
    async close(drain_ms) {
      isEnding = true;
      for (const server of servers) server.close();
      await settled(answering, drain_ms);
      await Promise.all([sessions.closeAll(), stateless.closeAll()]);
      await settled(sending, last_words_ms);
      for (const server of servers) server.closeAllConnections();
    },
  };
}

/** What the end of the sessions has to say goes out in that time, or not. */
const last_words_ms = 500;

async function settled(work: Iterable<Promise<void>>, most_ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, most_ms);
  });
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}

const noBody = { refusal: null, json: undefined } as const;

const withHeaders = (refusal: Refusal, headers: Readonly<Record<string, string>>): Refusal => ({
  ...refusal,
  headers: { ...refusal.headers, ...headers },
});

/** What the SDK has to know of a request. The token goes no further. */
function webRequest({ method = 'GET', headers }: IncomingMessage, out: ServerResponse): Request {
  const gone = new AbortController();
  out.once('close', () => {
    if (!out.writableFinished) gone.abort();
  });
  const passed = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && /^(?:accept|content-type|last-event-id|mcp-.+)$/.test(name)
      ? [[name, value]]
      : [],
  );
  return new Request('http://localhost/mcp', { method, headers: passed, signal: gone.signal });
}

async function listenOn(
  { addresses, port }: HttpOptions,
  limits: HttpLimits,
  listener: (request: IncomingMessage, out: ServerResponse) => void,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  try {
    for (const address of addresses) {
      const [first] = servers;
      const server = createServer(
        {
          maxHeaderSize: 16 * 1024,
          headersTimeout: limits.header_ms,
          requestTimeout: limits.request_ms,
          keepAliveTimeout: 60_000,
          connectionsCheckingInterval: Math.min(1000, limits.header_ms),
        },
        listener,
      );
      server.maxConnections = limits.connections;
      const isThere = await listening(server, first ? addressOf(first).port : port, address);
      // A host without IPv6 is served on IPv4 alone.
      if (isThere || first === undefined) servers.push(server);
    }
    return servers;
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
}

function listening(server: Server, port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT';
      if (isAbsent && host === '::1') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(true));
  });
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address;
}
