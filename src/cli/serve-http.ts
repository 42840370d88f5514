import { hostname, networkInterfaces } from 'node:os';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { endAllGroups } from '../exec/live-groups.ts';
import type { Selection } from '../selection.ts';
import { stateFolder } from '../store/state-folder.ts';
import { letAnswersGoFirst } from '../transport/helper-threads.ts';
import { mcp_path } from '../transport/http-guard.ts';
import { type HttpServer, serveHttp } from '../transport/http-server.ts';
import { ownToken, tokenFrom } from '../transport/http-token.ts';
import { rateLimit } from '../transport/rate-limit.ts';

export type HttpValues = Readonly<{
  port?: string | undefined;
  host?: string | undefined;
  'token-file'?: string | undefined;
  'allow-origin'?: readonly string[] | undefined;
}>;

const usual_port = 7373;
const loopback = ['127.0.0.1', '::1'];
/** What is being answered when the server has to end may take so long. */
const drain_ms = 15_000;

/** Serves MCP over HTTP until a signal ends it. */
export async function serveOverHttp(
  ctx: Context,
  selection: Selection,
  values: HttpValues,
): Promise<void> {
  letAnswersGoFirst();
  const tokenFile = values['token-file'];
  const folder = ctx.settings.stateFolder ?? stateFolder();
  const token = tokenFile === undefined ? ownToken(folder) : tokenFrom(tokenFile);
  const addresses = addressesOf(values.host);
  const server = await serveHttp(ctx, selection, {
    token,
    port: portOf(values.port),
    addresses,
    hostnames: hostnamesOf(addresses),
    origins: (values['allow-origin'] ?? []).map(originOf),
    onerror: complaints(ctx),
  }).catch((thrown: unknown) => {
    throw cannotListen(thrown);
  });
  if (!addresses.every((address) => loopback.includes(address))) {
    console.error(
      'tracewright: warning: others can reach this port, and HTTP is not encrypted: whoever is on the way reads the token and every answer. Rather use ssh -L, or a proxy with TLS.',
    );
  }
  const urls = server.addresses.map(({ address, port }) => `http://${inUrl(address)}:${port}`);
  const where = urls.map((url) => `${url}${mcp_path}`).join(' and ');
  console.error(`tracewright: MCP on ${where}\ntracewright: the bearer token is in ${token.path}`);
  await endSignal();
  console.error('tracewright: ending; a second signal does so at once');
  await end(server);
}

/** In place of the handlers that end everything at once; those come back with the second signal. */
function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.removeAllListeners(signal);
      let isFirst = true;
      process.on(signal, () => {
        if (isFirst) resolve();
        else process.exit(signal === 'SIGINT' ? 130 : 143);
        isFirst = false;
      });
    }
  });
}

async function end(server: HttpServer): Promise<void> {
  await server.close(drain_ms);
  endAllGroups();
}

/** What goes wrong with requests, in few lines however many of them there are. */
function complaints({ monotonicMs }: Context): (error: Error) => void {
  const admit = rateLimit(1, 10, monotonicMs);
  return ({ message }) => {
    if (admit()) console.error(`tracewright: ${untrusted(message)}`);
  };
}

function portOf(text: string | undefined): number {
  if (text === undefined) return usual_port;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port <= 65_535) return port;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `${untrusted(text)} is not a port.`,
    'tracewright mcp --http --port 7373',
  );
}

function addressesOf(host: string | undefined): readonly string[] {
  if (host === undefined || host === 'localhost') return loopback;
  return [host.replace(/^\[(.*)\]$/, '$1')];
}

const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** A name that someone else gave to our address is not among them. */
function hostnamesOf(addresses: readonly string[]): readonly string[] {
  const own = addresses.some((address) => address === '0.0.0.0' || address === '::')
    ? Object.values(networkInterfaces()).flatMap(
        (each) => each?.map(({ address }) => address) ?? [],
      )
    : addresses;
  const isOpen = !addresses.every((address) => loopback.includes(address));
  const names = [...loopback, ...own].map(inUrl);
  return [...new Set(['localhost', ...names, ...(isOpen ? [hostname().toLowerCase()] : [])])];
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && url.origin === text) return text;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `${untrusted(text)} is not an origin.`,
    'Give scheme, host and port as browsers send them: --allow-origin http://localhost:6274',
  );
}

function cannotListen(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (!['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EINVAL'].includes(code)) {
    return thrown;
  }
  return new TracewrightError(
    'INVALID_PARAMS',
    `Cannot listen there: ${thrown instanceof Error ? thrown.message : code}.`,
    'Choose another --port, or an address of this host for --host.',
  );
}
