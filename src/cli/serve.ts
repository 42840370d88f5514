import type { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Call, Context } from '../context.ts';
import type { Selection } from '../selection.ts';
import { buildServer } from '../server.ts';
import { subscriptions } from '../subscriptions.ts';
import { drainingStdio } from '../transport/draining-stdio.ts';

/** Who types the command sees nothing otherwise: the server waits for a client that speaks first. */
const forPerson =
  'tracewright: serving MCP on stdin and stdout, for a client to start; Ctrl-C ends it. See tracewright config.';

/** Answers in flight when the input ends may take as long as the longest call that waits. */
const drain_ms = 40_000;

/** Serves MCP on stdio; resolves when the client has gone and every answer is out. */
export async function serve(ctx: Context, selection: Selection, once: boolean): Promise<void> {
  if (process.stdin.isTTY) console.error(forPerson);
  let client: Server | null = null;
  const complain = (error: Error): void => console.error(`tracewright: ${error.message}`);
  const { transport, closed, isFull } = drainingStdio(process.stdin, process.stdout, {
    once,
    drain_ms,
    onListen(id, uris) {
      // There is no answer in which a failure could be told.
      for (const uri of uris) watched.open(listenKey(id), uri, nobodysCall()).catch(complain);
    },
    onUnlisten: (id) => void watched.close(listenKey(id)),
  });
  const watched = subscriptions(ctx, {
    isFull,
    updated: async (uri) => await client?.sendResourceUpdated({ uri }),
  });
  const build = (): Server => {
    client = buildServer(ctx, selection, watched);
    return client;
  };
  const server = serveStdio(build, { transport, legacy: 'serve', onerror: complain });
  await closed;
  await server.close();
  // An open stdin would keep the process alive after --once or a broken stdout.
  process.stdin.destroy();
}

const listenKey = (id: string | number): string => `listen ${JSON.stringify(id)}`;

const nobodysCall = (): Call => ({ signal: new AbortController().signal, progress: () => {} });
