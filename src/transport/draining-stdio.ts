import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { SUBSCRIPTION_ID_META_KEY, type Transport } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { type PreparedMessage, withPreparedText } from './prepared-text.ts';

type Options = Readonly<{
  /** Ends after the first answer to anything but the handshake. */
  once: boolean;
  /** How long answers in flight may take after the end of the input. */
  drain_ms: number;
  /** A client of 2026-07-28 began to listen to these resources; until it cancels that. */
  onListen(id: string | number, uris: readonly string[]): void;
  onUnlisten(id: string | number): void;
}>;

/** Bytes that a client may leave untaken before no more of its requests are read. */
const most_untaken_bytes = 1024 * 1024;

const handshakes = new Set(['initialize', 'server/discover']);

type Message = Parameters<Transport['send']>[0];

/**
 * Stdio that answers what it was asked. The SDK aborts calls in flight when stdin ends, so that
 * `printf … | tracewright mcp` would lose every slow answer; here the end of the input is held back
 * until each request has its answer. By composition: the SDK's transport has class fields that a
 * subclass cannot shadow. `closed` resolves when the connection has ended, from either side.
 */
export function drainingStdio(
  stdin: Readable,
  stdout: Writable,
  options: Options,
): { transport: Transport; closed: Promise<void>; isFull: () => boolean } {
  const input = new PassThrough();
  const inner = new StdioServerTransport(input, stdout);
  const pending = new Set<string | number>();
  let ended = false;
  let asked = false;

  const endWhenAnswered = (): void => {
    if (!ended || pending.size > 0) return;
    // The last lines may still be on their way through the PassThrough.
    if (input.writableLength + input.readableLength > 0) setImmediate(endWhenAnswered);
    else input.end();
  };

  const noteRequest = (message: Message): void => {
    if (!('method' in message)) return;
    // A subscription stays open until it is canceled; it has no answer to wait for.
    if ('id' in message && message.method !== 'subscriptions/listen') pending.add(message.id);
    if (message.method !== 'notifications/cancelled') return;
    const canceled = message.params?.['requestId'];
    if (typeof canceled !== 'string' && typeof canceled !== 'number') return;
    pending.delete(canceled);
    options.onUnlisten(canceled);
  };

  /** Answers pile up here while the client does not take them: it is not asked for more then. */
  const holdBack = (): void => {
    if (stdout.writableLength <= most_untaken_bytes || stdin.isPaused()) return;
    stdin.pause();
    stdout.once('drain', () => stdin.resume());
  };

  /** All of a message in one go, and then as long as the client takes for it. */
  async function write({ pieces, sent }: PreparedMessage): Promise<void> {
    stdout.cork();
    for (const piece of pieces) stdout.write(piece);
    stdout.write('', (error) => {
      if (!error) sent();
    });
    process.nextTick(() => stdout.uncork());
    if (stdout.writableNeedDrain) await once(stdout, 'drain');
  }

  const transport: Transport = {
    async start() {
      inner.onerror = (error) => transport.onerror?.(error);
      inner.onmessage = (message) => {
        // With --once the requests behind the first one get no answer.
        if (options.once && asked && 'method' in message && 'id' in message) return;
        noteRequest(message);
        asked ||= 'method' in message && 'id' in message && !handshakes.has(message.method);
        transport.onmessage?.(message);
      };
      await inner.start();
      stdin.on('data', (chunk) => {
        input.write(chunk);
        holdBack();
      });
      stdin.once('error', () => input.end());
      stdin.once('end', () => {
        ended = true;
        setTimeout(() => input.end(), options.drain_ms).unref();
        setImmediate(endWhenAnswered);
      });
    },
    async send(message) {
      const prepared = withPreparedText(message);
      const sent = prepared === null ? inner.send(message) : write(prepared);
      holdBack();
      await sent;
      noteListening(message, options);
      if ('method' in message || message.id === undefined) return;
      pending.delete(message.id);
      if (options.once && !isHandshake(message)) ended = true;
      endWhenAnswered();
    },
    close: () => inner.close(),
  };
  const closed = new Promise<void>((resolve) => {
    inner.onclose = () => {
      transport.onclose?.();
      resolve();
    };
    stdout.once('error', resolve);
  });
  return { transport, closed, isFull: () => stdout.writableLength > 0 };
}

/** The SDK answers subscriptions/listen by itself; what it grants shows in what it sends. */
function noteListening(message: Message, { onListen }: Options): void {
  if (!('method' in message)) return;
  if (message.method !== 'notifications/subscriptions/acknowledged') return;
  const { _meta, notifications } = Object(message.params);
  const id: unknown = _meta?.[SUBSCRIPTION_ID_META_KEY];
  const uris: unknown = notifications?.resourceSubscriptions;
  if ((typeof id !== 'string' && typeof id !== 'number') || !Array.isArray(uris)) return;
  onListen(
    id,
    uris.filter((uri) => typeof uri === 'string'),
  );
}

/** Whether a response answers `initialize` or `server/discover`. */
function isHandshake(message: object): boolean {
  if (!('result' in message) || typeof message.result !== 'object' || !message.result) return false;
  return 'protocolVersion' in message.result || 'supportedVersions' in message.result;
}
