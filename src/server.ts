import { setMaxListeners } from 'node:events';
import {
  ProtocolError,
  ResourceNotFoundError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Call, Context } from './context.ts';
import { type ErrorCode, errorBody, toTracewrightError } from './errors.ts';
import { instructions, slimInstructions } from './instructions.ts';
import type { Picture, ResourceLink } from './reading.ts';
import type { Selection } from './selection.ts';
import type { Subscriptions } from './subscriptions.ts';
import { type PreparedText, standIn } from './transport/prepared-text.ts';
import { version } from './version.ts';

/** Where clients of the newer protocol say who they are. */
const client_info_key = 'io.modelcontextprotocol/clientInfo';
const invalid_params = -32602;
const internal_error = -32603;
/** Failures that another request would not meet. */
const callersFault = new Set<ErrorCode>(['INVALID_PARAMS', 'PID_NOT_FOUND', 'NOT_ALLOWED']);
const progress_interval_ms = 1000;

/** Lists do not change while a server runs. */
const listHint = { ttlMs: 3_600_000, cacheScope: 'private' } as const;

const load = async () => (await import('./surface.ts')).surface;

/** One client of several that share a context, and what its transport does with long text. */
export type Peer = Readonly<{ reader?: object; longText?(text: PreparedText): string }>;

/**
 * An MCP server over the same handlers as the command line, for either protocol era. It is built on
 * the SDK's low-level class: the wording of errors, the order of calls and the moment of loading
 * are ours.
 */
export function buildServer(
  ctx: Context,
  selection: Selection,
  subscriptions: Subscriptions,
  { reader, longText = standIn }: Peer = {},
): Server {
  // A capability is declared where it is there; `false` is not among its values for every client.
  const resources = ctx.settings.daemon ? { subscribe: true } : {};
  const server = new Server(
    { name: 'tracewright', title: 'Tracewright', version },
    {
      capabilities: { tools: {}, resources, prompts: {}, completions: {} },
      instructions: selection.slim ? slimInstructions : instructions,
      cacheHints: {
        'tools/list': listHint,
        'resources/list': listHint,
        'resources/templates/list': listHint,
        'prompts/list': listHint,
      },
    },
  );

  const withProgress = <T>(request: ServerContext, work: (call: Call) => Promise<T>): Promise<T> =>
    runWithProgress(request, reader, work);
  /** The work of a request, recorded as of its client where executions are recorded. */
  const asked = <T>(
    name: string,
    request: ServerContext,
    work: (call: Call) => Promise<T>,
  ): Promise<T> => {
    const { audit } = ctx.settings;
    if (!audit) return withProgress(request, work);
    const client = clientIn(request.mcpReq.envelope) ?? server.getClientVersion() ?? null;
    return audit.within({ request: name, client }, () => withProgress(request, work));
  };

  server.setRequestHandler('tools/list', async () => (await load()).listTools(selection));
  server.setRequestHandler('resources/list', async () =>
    (await load()).listResources(ctx.settings),
  );
  server.setRequestHandler('prompts/list', async () => (await load()).listPrompts(ctx.settings));
  server.setRequestHandler('resources/templates/list', async () =>
    (await load()).listResourceTemplates(ctx.settings),
  );

  server.setRequestHandler('tools/call', async ({ params }, request) => {
    const surface = await load();
    const offered = surface.tools(selection);
    const tool = offered.find((each) => each.name === params.name);
    if (!tool) {
      const refused = surface.refusedTool(selection, params.name);
      if (refused) {
        const refusing = asked(params.name, request, () => Promise.reject(refused));
        return await refusing.catch((thrown: unknown) => errorResult(thrown, params.name));
      }
      const names = offered.map((each) => each.name);
      const meant = surface.didYouMean(params.name, names);
      const unknown = `Unknown tool: ${params.name.slice(0, 80)}.${meant} This server offers: ${names.join(', ')}.`;
      throw new ProtocolError(invalid_params, unknown);
    }
    try {
      const { answer, picture } = await asked(tool.name, request, (call) =>
        surface.askTool(tool, params.arguments, ctx, call),
      );
      const text = JSON.stringify(answer);
      const links = resourceLinks(answer.links ?? [], server.getNegotiatedProtocolVersion());
      const content = [{ type: 'text' as const, text }, ...images(picture), ...links];
      return { content, structuredContent: answer };
    } catch (thrown) {
      return errorResult(thrown, tool.name);
    }
  });

  server.setRequestHandler('resources/read', async ({ params: { uri } }, request) => {
    const surface = await load();
    const resource = surface.findResource(uri);
    if (!resource) throw new ResourceNotFoundError(uri.slice(0, 200));
    const text = await asProtocolError(
      asked(uri, request, (call) => surface.readResourceText(uri, ctx, call)),
    );
    if (typeof text === 'object' && 'content' in text) {
      const { mimeType, content } = text;
      if (typeof content === 'string') return { contents: [{ uri, mimeType, text: content }] };
      const blob = Buffer.from(content).toString('base64');
      return { contents: [{ uri, mimeType, blob }] };
    }
    const shown = typeof text === 'string' ? text : longText(text);
    return { contents: [{ uri, mimeType: resource.mimeType, text: shown }] };
  });

  // Up to 2025-11-25; later clients send subscriptions/listen, which the transport tells of.
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, request) => {
    await asProtocolError(
      asked(uri, request, (call) => subscriptions.open(`uri ${uri}`, uri, call)),
    );
    return {};
  });

  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
    await subscriptions.close(`uri ${uri}`);
    return {};
  });

  server.setRequestHandler('prompts/get', async ({ params }, request) => {
    const surface = await load();
    return asProtocolError(
      asked(params.name, request, (call) =>
        surface.getPrompt(params.name, params.arguments, ctx, call),
      ),
    );
  });

  server.setRequestHandler('completion/complete', async ({ params }) => {
    const surface = await load();
    try {
      return surface.complete(params.ref, params.argument, ctx);
    } catch (thrown) {
      throw protocolError(thrown);
    }
  });

  return server;
}

const images = (picture: Picture | undefined) =>
  picture === undefined
    ? []
    : [
        {
          type: 'image' as const,
          data: Buffer.from(picture.bytes).toString('base64'),
          mimeType: picture.mimeType,
        },
      ];
function clientIn(envelope: unknown): Readonly<{ name: string; version: string }> | null {
  if (typeof envelope !== 'object' || envelope === null) return null;
  const client = client_info_key in envelope ? envelope[client_info_key] : null;
  if (typeof client !== 'object' || client === null || !('name' in client)) return null;
  return {
    name: String(client.name),
    version: 'version' in client ? String(client.version) : 'unknown',
  };
}

/** Without structuredContent: clients would check it against the schema of a success. */
function errorResult(thrown: unknown, tool: string) {
  const text = JSON.stringify(errorBody(toTracewrightError(thrown), tool));
  return { isError: true, content: [{ type: 'text' as const, text }] };
}

/** Clients of older protocols know text, images and sound alone; without `initialize` it is a newer one. */
const first_with_links = '2025-06-18';

const resourceLinks = (links: readonly ResourceLink[], protocol = first_with_links) =>
  protocol < first_with_links
    ? []
    : links.map((link) => ({ type: 'resource_link' as const, ...link }));

/** Runs the work with the request's cancellation; tells a client that asked, each second, that it runs. */
async function runWithProgress<T>(
  request: ServerContext,
  reader: object | undefined,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const { signal, notify, _meta } = request.mcpReq;
  // A prompt reads several resources at once; Node.js warns above ten listeners.
  setMaxListeners(0, signal);
  const progressToken = _meta?.progressToken;
  let message = 'working';
  let progress = 0;
  const tell = (): void => {
    progress += 1;
    const params = { progressToken, progress, message: `${message} (${progress} s)` };
    // A client that went away is the transport's business.
    notify({ method: 'notifications/progress', params }).catch(() => {});
  };
  const timer = progressToken === undefined ? undefined : setInterval(tell, progress_interval_ms);
  const call: Call = {
    signal,
    reader,
    progress: (text) => {
      message = text;
    },
  };
  try {
    return await work(call);
  } finally {
    clearInterval(timer);
  }
}

/** Resources, prompts and completions have no error result: theirs is a protocol error. */
function asProtocolError<T>(work: Promise<T>): Promise<T> {
  return work.catch((thrown: unknown) => {
    throw protocolError(thrown);
  });
}

function protocolError(thrown: unknown): ProtocolError {
  const error = toTracewrightError(thrown);
  const code = callersFault.has(error.code) ? invalid_params : internal_error;
  const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  return new ProtocolError(code, `${message} ${error.suggestion}`, errorBody(error).error);
}
