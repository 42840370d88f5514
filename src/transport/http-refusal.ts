import type { ServerResponse } from 'node:http';

/** Why a request is not served, and what its sender can do about it. */
export type Refusal = Readonly<{
  status: number;
  message: string;
  code?: number;
  headers?: Readonly<Record<string, string>>;
}>;

const refused = -32_000;

/** As a JSON-RPC error, which is what MCP clients show. The body is not waited for. */
export function refuse(out: ServerResponse, refusal: Refusal, keepOpen = false): void {
  if (out.headersSent || out.destroyed) {
    out.destroy();
    return;
  }
  const { status, message, code = refused, headers = {} } = refusal;
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } });
  out.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(keepOpen ? {} : { Connection: 'close' }),
    ...headers,
  });
  out.end(body);
}
