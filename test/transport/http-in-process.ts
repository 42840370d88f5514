import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { createContext } from '../../src/context.ts';
import { type HttpLimits, serveHttp } from '../../src/transport/http-server.ts';
import { tokenFrom } from '../../src/transport/http-token.ts';

const token = 'a-token-that-only-this-test-knows';
export const origin = 'http://localhost:6274';

type Asked = Readonly<{
  method?: string;
  path?: string;
  headers?: Readonly<Record<string, string | undefined>>;
  body?: string | object;
}>;

/** A server in this process, whose limits a test chooses. */
export async function httpHere(limits: Partial<HttpLimits> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-http-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token);
  chmodSync(tokenFile, 0o600);
  const errors: string[] = [];
  const settings = { daemon: false, readOnly: true, stateFolder: folder };
  const server = await serveHttp(
    createContext(settings),
    { readOnly: true },
    {
      token: tokenFrom(tokenFile),
      port: 0,
      addresses: ['127.0.0.1'],
      hostnames: ['localhost', '127.0.0.1'],
      origins: [origin],
      limits,
      onerror: ({ message }) => errors.push(message),
    },
  );
  onTestFinished(async () => {
    await server.close(0);
    rmSync(folder, { recursive: true });
  });
  const [{ port } = { port: 0 }] = server.addresses;

  /** By node:http, which sends the Host and the Origin that a test wants. Resolves with the head of the answer. */
  async function begin({ method = 'POST', path = '/mcp', headers = {}, body }: Asked = {}) {
    const usual: Record<string, string | undefined> = {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    };
    const given = Object.entries(usual).filter(([, value]) => value !== undefined);
    const sent = request({ port, method, path, headers: Object.fromEntries(given) });
    const answered = new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
    });
    if (method === 'POST') sent.end(typeof body === 'object' ? JSON.stringify(body) : body);
    else sent.end();
    const response = await answered;
    const { statusCode: status = 0, headers: got } = response;
    return { status, headers: got, text: () => text(response) };
  }

  async function ask(asked: Asked = {}) {
    const { status, headers, text: whole } = await begin(asked);
    return { status, headers, text: await whole() };
  }

  async function session(): Promise<string> {
    const { headers } = await ask({ body: initialize });
    return String(headers['mcp-session-id']);
  }

  /** A bare connection. */
  const raw = () => connect(port, '127.0.0.1');
  return { server, port, token, errors, begin, ask, session, raw };
}

export const rpc = (id: number, method: string, params: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

export const initialize = rpc(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
});
