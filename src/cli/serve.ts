import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Context } from '../context.ts';
import type { Selection } from '../selection.ts';
import { buildServer } from '../server.ts';
import { drainingStdio } from '../transport/draining-stdio.ts';

/** Answers in flight when the input ends may take as long as the longest call that waits. */
const drain_ms = 40_000;

/** Serves MCP on stdio; resolves when the client has gone and every answer is out. */
export async function serve(ctx: Context, selection: Selection, once: boolean): Promise<void> {
  const options = { once, drain_ms };
  const { transport, closed } = drainingStdio(process.stdin, process.stdout, options);
  const server = serveStdio(() => buildServer(ctx, selection), {
    transport,
    legacy: 'serve',
    onerror: (error) => console.error(`tracewright: ${error.message}`),
  });
  await closed;
  await server.close();
  // An open stdin would keep the process alive after --once or a broken stdout.
  process.stdin.destroy();
}
