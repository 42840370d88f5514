import type { IncomingMessage } from 'node:http';
import { isJsonContentType, validateHostHeader } from '@modelcontextprotocol/server';
import type { Refusal } from './http-refusal.ts';
import type { HttpToken } from './http-token.ts';
import type { RateLimit } from './rate-limit.ts';

export const mcp_path = '/mcp';
const methods = 'GET, POST, DELETE';

export type Guard = Readonly<{
  token: HttpToken;
  /** Names under which we are reached; a page that had its own name point to us is not among them. */
  hostnames: readonly string[];
  /** Web pages that may ask us. */
  origins: readonly string[];
  /** Lets so many wrong tokens through, to be answered. */
  failures: RateLimit;
}>;

/** Why a request is refused by its head alone, before anything of its body is read; null where it is not. */
export function refusalOf(request: IncomingMessage, guard: Guard): Refusal | null {
  return refusalOfSender(request, guard) ?? refusalOfForm(request);
}

/** Why nobody is served under the name that a request gives us; null where it is one of ours. */
export function refusalOfHost({ headers }: IncomingMessage, { hostnames }: Guard): Refusal | null {
  if (validateHostHeader(headers.host, [...hostnames]).ok) return null;
  const names = hostnames.join(', ');
  return { status: 403, message: `Unknown Host. This server is reached as ${names}.` };
}

function refusalOfSender(request: IncomingMessage, guard: Guard): Refusal | null {
  const refused = refusalOfHost(request, guard);
  if (refused) return refused;
  const { headers } = request;
  if (headers.origin !== undefined && !guard.origins.includes(headers.origin)) {
    const message =
      'Web pages may not ask this server; start it with --allow-origin and the origin to let one.';
    return { status: 403, message };
  }
  if (guard.token.matches(headers.authorization ?? '')) return null;
  if (!guard.failures()) return tooMany('Too many wrong tokens.');
  return {
    status: 401,
    message:
      'Send "Authorization: Bearer TOKEN"; the server named the file that holds the token on stderr when it started.',
    headers: { 'WWW-Authenticate': 'Bearer realm="tracewright"' },
  };
}

function refusalOfForm({ url = '', method = '', headers }: IncomingMessage): Refusal | null {
  if (url.split('?', 1)[0] !== mcp_path) {
    return { status: 404, message: `There is nothing here. MCP is served at ${mcp_path}.` };
  }
  const accepted = headers.accept ?? '';
  if (method === 'POST') {
    if (!accepted.includes('application/json') || !accepted.includes('text/event-stream')) {
      const message = 'Send "Accept: application/json, text/event-stream".';
      return { status: 406, message };
    }
    if (isJsonContentType(headers['content-type'])) return null;
    return { status: 415, message: 'Send "Content-Type: application/json".' };
  }
  if (method === 'GET') {
    if (accepted.includes('text/event-stream')) return null;
    return { status: 406, message: 'Send "Accept: text/event-stream".' };
  }
  if (method === 'DELETE') return null;
  return { status: 405, message: `Use one of ${methods}.`, headers: { Allow: methods } };
}

export const tooMany = (message: string): Refusal => ({
  status: 429,
  message: `${message} Wait a second.`,
  headers: { 'Retry-After': '1' },
});

/** What a page of an allowed origin may send and read; a browser asks for it without a token. */
export function crossOrigin(
  { headers: { origin } }: IncomingMessage,
  { origins }: Guard,
): Readonly<Record<string, string>> {
  if (origin === undefined || !origins.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers':
      'Authorization, Content-Type, Accept, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-Id',
    'Access-Control-Expose-Headers': 'Mcp-Session-Id',
    Vary: 'Origin',
  };
}
