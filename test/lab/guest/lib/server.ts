import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import * as z from 'zod/v4';
import { asItsUser, helper } from './route.ts';

const Contents = z.looseObject({
  contents: z.tuple([z.looseObject({ text: z.string() })]),
});

/** The installed program, started by a real MCP client: as root, or as a user with a helper. */
export async function startServer(...args: readonly string[]) {
  const [command, ...words] = asItsUser('tracewright', 'mcp', ...helper, ...args);
  const client = new Client({ name: 'lab', version: '1.0.0' });
  await client.connect(
    new StdioClientTransport({
      command,
      args: words,
      stderr: 'inherit',
      env: coverageOnly(),
    }),
  );
  return {
    client,
    /** A resource's document, checked against a schema. */
    async read<T extends z.ZodType>(uri: string, schema: T): Promise<z.output<T>> {
      const { contents } = Contents.parse(await client.readResource({ uri }));
      return schema.parse(JSON.parse(contents[0].text));
    },
    close: () => client.close(),
  };
}

export type Server = Awaited<ReturnType<typeof startServer>>;

/** Node.js writes what it covered to this folder, if the lab asks for it. */
function coverageOnly(): Record<string, string> {
  const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
  return { PATH, HOME, ...(NODE_V8_COVERAGE ? { NODE_V8_COVERAGE } : {}) };
}
