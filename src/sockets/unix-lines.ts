import { connect } from 'node:net';

/**
 * Why there is no reply. `missing`: no such file. `refused`: the file is there, nobody listens.
 * `denied`: we may not connect. `ended`: the peer closed before the line was whole. `timeout`,
 * `too_long`: the connection was given up, because what comes now would answer the next request.
 */
export type NoReply =
  | 'missing'
  | 'refused'
  | 'denied'
  | 'ended'
  | 'timeout'
  | 'too_long'
  | 'canceled'
  | 'failed';

export type Failed = Readonly<{ ok: false; why: NoReply; detail: string }>;
export type Reply = Failed | Readonly<{ ok: true; line: string }>;

export type UnixLines = Readonly<{
  path: string;
  /**
   * Sends one line and waits for one. One request at a time. A connection that failed once is
   * closed and fails again with `ended`.
   */
  request(line: string, options?: RequestOptions): Promise<Reply>;
  /** Whether the connection still stands. */
  open(): boolean;
  close(): void;
}>;

export type RequestOptions = Readonly<{
  signal?: AbortSignal | undefined;
  timeout_ms?: number | undefined;
}>;

export type Bounds = Readonly<{ timeout_ms: number; line_bytes: number; idle_ms: number }>;

const default_bounds: Bounds = {
  timeout_ms: 2000,
  line_bytes: 4 * 1024 * 1024,
  idle_ms: 300_000,
};

/**
 * Connects to a Unix stream socket for requests and replies of one line each. The path is the
 * operator's, never a request's. Between requests the connection keeps no process alive, and it is
 * closed when idle.
 */
export function unixLines(path: string, bounds: Bounds = default_bounds): UnixLines {
  const socket = connect({ path });
  let settle: ((reply: Reply) => void) | undefined;
  let ending: Failed | undefined;
  let chunks: Buffer[] = [];
  let bytes = 0;
  let idle: NodeJS.Timeout | undefined;

  function end(why: NoReply, detail: string): void {
    if (ending) return;
    ending = { ok: false, why, detail };
    clearTimeout(idle);
    chunks = [];
    socket.destroy();
    settle?.(ending);
  }

  function take(chunk: Buffer): void {
    const newline = chunk.indexOf(10);
    const part = newline < 0 ? chunk : chunk.subarray(0, newline);
    bytes += part.length;
    if (!settle) end('failed', 'the peer spoke without being asked');
    else if (bytes > bounds.line_bytes) end('too_long', `more than ${bounds.line_bytes} bytes`);
    else if (newline >= 0 && newline < chunk.length - 1) end('failed', 'more than one line came');
    else {
      chunks.push(part);
      if (newline < 0) return;
      const line = Buffer.concat(chunks).toString('utf8');
      [chunks, bytes] = [[], 0];
      settle({ ok: true, line });
    }
  }

  socket.on('data', take);
  socket.on('error', (error: NodeJS.ErrnoException) => end(reasonOf(error), error.message));
  socket.on('close', () => end('ended', `the peer closed after ${bytes} bytes of a line`));

  /** Until the next request the socket holds nothing up, and goes after a while. */
  function rest(): void {
    if (ending) return;
    socket.unref();
    idle = setTimeout(() => end('ended', 'closed when idle'), bounds.idle_ms).unref();
  }

  function request(line: string, options: RequestOptions = {}): Promise<Reply> {
    if (settle) throw new Error('one request at a time');
    if (ending) return Promise.resolve(ending);
    const { signal, timeout_ms = bounds.timeout_ms } = options;
    const cancel = (): void => end('canceled', 'the caller canceled');
    clearTimeout(idle);
    return new Promise((resolve) => {
      const timer = setTimeout(() => end('timeout', `no line within ${timeout_ms} ms`), timeout_ms);
      settle = (reply) => {
        settle = undefined;
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        rest();
        resolve(reply);
      };
      if (signal?.aborted) cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      socket.ref();
      if (!ending) socket.write(`${line}\n`);
    });
  }

  return {
    path,
    request,
    open: () => !ending,
    close: () => end('ended', 'closed'),
  };
}

function reasonOf({ code }: NodeJS.ErrnoException): NoReply {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK') return 'refused';
  if (code === 'EACCES' || code === 'EPERM') return 'denied';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'ended';
  return 'failed';
}
