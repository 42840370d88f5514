import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  type Server,
} from '@modelcontextprotocol/server';

/** An MCP server over HTTP on the loopback, because the suite speaks nothing else. */
export async function serveHttp(
  build: () => Server,
): Promise<Readonly<{ url: string; close(): Promise<void> }>> {
  const handler = createMcpHandler(build);
  const http = createServer((incoming, outgoing) => {
    const request = webRequest(incoming);
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    const answer = refused ? Promise.resolve(refused) : handler.fetch(request);
    answer.then((response) => send(response, outgoing)).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      await handler.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function webRequest(incoming: IncomingMessage): Request {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
  const pairs: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  }
  const body = method === 'GET' || method === 'HEAD' ? null : Readable.toWeb(incoming);
  const address = `http://${headers.host ?? 'localhost'}${url}`;
  return new Request(address, { method, headers: pairs, body, duplex: 'half' });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body) {
    outgoing.end();
    return;
  }
  await pipeline(Readable.fromWeb(response.body), outgoing);
}
