import { randomUUID } from 'node:crypto';
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Subscriptions, UpdateSink } from '../subscriptions.ts';
import { tooMany } from './http-guard.ts';
import type { Refusal } from './http-refusal.ts';
import type { Reply } from './http-reply.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';

export type SessionLimits = Readonly<{
  sessions: number;
  /** Requests of one session that are being answered. */
  busy: number;
  per_second: number;
  burst: number;
  /** A session that nobody uses ends after that. */
  idle_ms: number;
  /** When another client waits for a place, after that already. */
  evict_ms: number;
}>;

type Parts = Readonly<{
  limits: SessionLimits;
  nowMs(): number;
  watch(sink: UpdateSink): Subscriptions;
  /** A server for one client, which is named by the object. */
  build(watched: Subscriptions, reader: object): Server;
  onerror(error: Error): void;
}>;

type Session = {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: Server;
  readonly admit: RateLimit;
  /** Requests without an answer yet. */
  readonly busy: Set<string | number>;
  /** The stream of notices that the client keeps open. */
  listening: Reply | null;
  used_ms: number;
};

export type Served = Readonly<
  { refusal: Refusal } | { response: Response; sent: (reply: Reply) => void }
>;

const refusal = (status: number, message: string, code?: number): Served => ({
  refusal: code === undefined ? { status, message } : { status, message, code },
});

export type Sessions = Readonly<{
  /** Serves a request of 2024-11-05 to 2025-11-25; `body` is undefined for GET and DELETE. */
  serve(request: Request, body: unknown): Promise<Served>;
  count(): number;
  closeAll(): Promise<void>;
}>;

/** What clients of protocols up to 2025-11-25 have between their requests, each by itself. */
export function httpSessions(parts: Parts): Sessions {
  const { limits, nowMs } = parts;
  const sessions = new Map<string, Session>();
  const sweep = setInterval(() => endIdle(limits.idle_ms, sessions.size), limits.idle_ms / 10);
  sweep.unref();

  const isIdle = ({ busy, listening, used_ms }: Session, ms: number): boolean =>
    busy.size === 0 && listening === null && nowMs() - used_ms >= ms;

  /** The longest idle ones first; they stand in the order of their last use. */
  function endIdle(ms: number, most: number): void {
    const idle = [...sessions.values()].filter((each) => isIdle(each, ms));
    for (const { server } of idle.slice(0, most)) server.close().catch(parts.onerror);
  }

  async function open(): Promise<Session> {
    const watched = parts.watch({
      isFull: () => session.listening?.isFull() ?? false,
      updated: async (uri) => await server.sendResourceUpdated({ uri }),
    });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, session),
    });
    const server = parts.build(watched, {});
    const session: Session = {
      transport,
      server,
      admit: rateLimit(limits.per_second, limits.burst, nowMs),
      busy: new Set(),
      listening: null,
      used_ms: nowMs(),
    };
    await server.connect(transport);
    noteRequests(session);
    server.onclose = () => {
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId);
      watched.closeAll().catch(parts.onerror);
    };
    return session;
  }

  function use(id: string, session: Session): void {
    session.used_ms = nowMs();
    sessions.delete(id);
    sessions.set(id, session);
  }

  async function initialize(request: Request, body: unknown): Promise<Served> {
    if (!isInitializeRequest(body)) {
      const message = 'Send initialize first, and then its Mcp-Session-Id with every request.';
      return refusal(400, message);
    }
    if (sessions.size >= limits.sessions) endIdle(limits.evict_ms, 1);
    if (sessions.size >= limits.sessions) return full;
    const session = await open();
    const response = await session.transport.handleRequest(request, { parsedBody: body });
    if (session.transport.sessionId === undefined) await session.server.close();
    return { response, sent: () => {} };
  }

  return {
    async serve(request, body) {
      const id = request.headers.get('mcp-session-id');
      if (id === null) return await initialize(request, body);
      const session = sessions.get(id);
      if (!session) {
        return refusal(404, 'This session has ended. Send initialize for a new one.', -32_001);
      }
      const ids = requestIds(body);
      const refused = overLimit(session, ids, limits);
      if (refused) return { refusal: refused };
      use(id, session);
      const options = body === undefined ? {} : { parsedBody: body };
      const response = await session.transport.handleRequest(request, options);
      const isStream = request.method === 'GET' && response.ok;
      const sent = (reply: Reply): void => {
        if (isStream) session.listening = reply;
        const end = (): void => {
          if (session.listening === reply) session.listening = null;
          session.used_ms = nowMs();
        };
        reply.done.then(end, end);
      };
      return { response, sent };
    },
    count: () => sessions.size,
    async closeAll() {
      clearInterval(sweep);
      await Promise.all([...sessions.values()].map(({ server }) => server.close()));
    },
  };
}

const full: Served = {
  refusal: {
    status: 503,
    message: 'All sessions are in use. Try again later, or end one with DELETE.',
    headers: { 'Retry-After': '30' },
  },
};

/** Counts what is being answered: a client that goes away does not end its work by that. */
function noteRequests({ transport, busy }: Session): void {
  const deliver = transport.onmessage;
  const send = transport.send.bind(transport);
  transport.onmessage = (message, extra) => {
    if ('method' in message && 'id' in message) busy.add(message.id);
    deliver?.(message, extra);
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const canceled = message.params?.['requestId'];
    if (typeof canceled !== 'string' && typeof canceled !== 'number') return;
    // It gets no answer, for which its stream would wait.
    if (busy.delete(canceled)) transport.closeSSEStream(canceled);
  };
  transport.send = async (message, options) => {
    if (!('method' in message) && message.id !== undefined) busy.delete(message.id);
    await send(message, options);
  };
}

function overLimit(
  { busy, admit }: Session,
  ids: readonly (string | number)[],
  limits: SessionLimits,
): Refusal | null {
  const twice = ids.find((id, index) => busy.has(id) || ids.indexOf(id) !== index);
  if (twice !== undefined) {
    const message = `The id ${JSON.stringify(twice).slice(0, 80)} is in use by another request.`;
    return { status: 400, message, code: -32_600 };
  }
  if (busy.size + ids.length > limits.busy) {
    return tooMany(`More than ${limits.busy} requests of this session are being answered.`);
  }
  if (admit(Math.max(1, ids.length))) return null;
  return tooMany(`More than ${limits.per_second} requests a second.`);
}

function requestIds(body: unknown): (string | number)[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message) => {
    const { id, method } = Object(message);
    const isId = typeof id === 'string' || typeof id === 'number';
    return isId && typeof method === 'string' ? [id] : [];
  });
}
