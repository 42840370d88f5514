import { createMcpHandler, type Server } from '@modelcontextprotocol/server';
import { toTracewrightError } from '../errors.ts';
import type { Subscriptions, UpdateSink } from '../subscriptions.ts';
import type { Served } from './http-sessions.ts';

type Parts = Readonly<{
  watch(sink: UpdateSink): Subscriptions;
  build(watched: Subscriptions): Server;
  /** Streams of notices that may be open. */
  listeners: number;
  onerror(error: Error): void;
}>;

export type Stateless = Readonly<{
  /** Serves a request of 2026-07-28. Its signal tells that the client has gone. */
  serve(request: Request, body: unknown): Promise<Served>;
  /** Whether the body asks for a stream of notices, which ends when the client wants. */
  isListening(body: unknown): boolean;
  closeAll(): Promise<void>;
}>;

const most_uris = 16;

/** The protocol without sessions: each request is served by itself. */
export function statelessHttp(parts: Parts): Stateless {
  const unwatched: Subscriptions = {
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    closeAll: () => Promise.resolve(),
  };
  const options = { legacy: 'reject', onerror: parts.onerror } as const;
  const handler = createMcpHandler(() => parts.build(unwatched), options);
  const open = new Set<() => Promise<void>>();

  /** A stream has a handler of its own, so that a client that is slow holds back its notices alone. */
  async function listen(request: Request, body: unknown): Promise<Served> {
    if (open.size >= parts.listeners) {
      const message = 'Too many clients listen. Try again later.';
      return { refusal: { status: 503, message, headers: { 'Retry-After': '30' } } };
    }
    const own = createMcpHandler(() => parts.build(unwatched), options);
    let isFull = (): boolean => false;
    const watched = parts.watch({
      isFull: () => isFull(),
      updated(uri) {
        own.notify.resourceUpdated(uri);
        return Promise.resolve();
      },
    });
    const end = async (): Promise<void> => {
      open.delete(end);
      await own.close();
      await watched.closeAll();
    };
    open.add(end);
    const call = { signal: request.signal, progress: () => {} };
    try {
      // Before it is acknowledged: whoever listens misses nothing from then on.
      for (const [index, uri] of urisOf(body).entries()) await watched.open(`${index}`, uri, call);
    } catch (thrown) {
      await end();
      return { response: failed(body, thrown), sent: () => {} };
    }
    const response = await own.fetch(request, { parsedBody: body });
    return {
      response,
      sent(reply) {
        isFull = reply.isFull;
        const over = (): void => void end().catch(parts.onerror);
        reply.done.then(over, over);
      },
    };
  }

  const isListening = (body: unknown): boolean => Object(body).method === 'subscriptions/listen';

  return {
    isListening,
    async serve(request, body) {
      if (isListening(body)) return await listen(request, body);
      return { response: await handler.fetch(request, { parsedBody: body }), sent: () => {} };
    },
    async closeAll() {
      await Promise.all([...open].map((end) => end()));
      await handler.close();
    },
  };
}

function urisOf(body: unknown): string[] {
  const uris: unknown = Object(body).params?.notifications?.resourceSubscriptions;
  if (!Array.isArray(uris)) return [];
  return [...new Set(uris.filter((uri) => typeof uri === 'string'))].slice(0, most_uris);
}

function failed(body: unknown, thrown: unknown): Response {
  const { message, suggestion } = toTracewrightError(thrown);
  const error = { code: -32_602, message: `${message} ${suggestion}` };
  return Response.json({ jsonrpc: '2.0', id: Object(body).id ?? null, error });
}
