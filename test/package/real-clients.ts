import { connectV1, connectV2, inspector } from '../mcp/connect.ts';

type ListedTool = { name: string; outputSchema?: object | undefined };
type ListedPrompt = {
  name: string;
  arguments?: { name: string; required?: boolean | undefined }[] | undefined;
};
type ToolAnswer = {
  content: { type: string; text?: string | undefined }[];
  structuredContent?: unknown;
  isError?: boolean | undefined;
};
type Prompt = {
  messages: { role: string; content: { type: string; text?: string | undefined } }[];
};

/** What every real client can do with a server, whatever its library. */
export type RealClient = Readonly<{
  tools(): Promise<ListedTool[]>;
  /** URIs of the resources. */
  resources(): Promise<string[]>;
  /** URI templates of the resources. */
  templates(): Promise<string[]>;
  prompts(): Promise<ListedPrompt[]>;
  call(name: string, args: Record<string, unknown>): Promise<ToolAnswer>;
  /** The text of a resource; rejects with what the server said. */
  read(uri: string): Promise<string>;
  prompt(name: string, args: Record<string, string>): Promise<Prompt>;
  close(): Promise<void>;
}>;

type Argv = readonly [string, ...string[]];
type Era = 'legacy' | 'modern';

/** Each real client, by what the tests call it. `keepsServer`: its calls share one server. */
export const realClients: readonly Readonly<{
  label: string;
  keepsServer: boolean;
  connect(server: Argv, cwd: string): Promise<RealClient>;
}>[] = [
  { label: 'SDK 1.x', keepsServer: true, connect: overV1 },
  { label: 'SDK 2.x, initialize', keepsServer: true, connect: overV2('legacy') },
  { label: 'SDK 2.x, 2026-07-28', keepsServer: true, connect: overV2('modern') },
  { label: 'Inspector', keepsServer: false, connect: overInspector },
];

const patience = { timeout: 60_000 };

async function overV1([command, ...args]: Argv, cwd: string): Promise<RealClient> {
  const { client, close } = await connectV1(command, args, { cwd });
  return {
    tools: async () => (await client.listTools()).tools,
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map((each) => each.uriTemplate),
    prompts: async () => (await client.listPrompts()).prompts,
    call: async (name, given) =>
      toolAnswer(await client.callTool({ name, arguments: given }, undefined, patience)),
    read: async (uri) => textOf(await client.readResource({ uri }, patience)),
    prompt: (name, given) => client.getPrompt({ name, arguments: given }, patience),
    close,
  };
}

function overV2(era: Era) {
  return async ([command, ...args]: Argv, cwd: string): Promise<RealClient> => {
    const { client, close } = await connectV2(command, args, { cwd, era });
    return {
      tools: async () => (await client.listTools()).tools,
      resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
      templates: async () =>
        (await client.listResourceTemplates()).resourceTemplates.map((each) => each.uriTemplate),
      prompts: async () => (await client.listPrompts()).prompts,
      call: async (name, given) =>
        toolAnswer(await client.callTool({ name, arguments: given }, patience)),
      read: async (uri) => textOf(await client.readResource({ uri }, patience)),
      prompt: (name, given) => client.getPrompt({ name, arguments: given }, patience),
      close,
    };
  };
}

/** Exit code of the Inspector when a tool answered with isError: an answer, not a failure. */
const tool_said_error = 5;
/** Each request is an Inspector and a server: so many at a time. */
const lanes_of_inspector = 3;

function overInspector(server: Argv, cwd: string): Promise<RealClient> {
  async function askNow(request: readonly string[]) {
    const words = ['--connect-timeout', '60000', '--method', ...request];
    const { code, stdout, stderr } = await inspector(server, words, { cwd });
    if (code !== 0 && code !== tool_said_error) throw new Error(`exit ${code}: ${stderr.trim()}`);
    return JSON.parse(stdout).result;
  }
  const lanes: Promise<unknown>[] = Array(lanes_of_inspector).fill(Promise.resolve());
  let asked = 0;
  function ask(...request: string[]) {
    const lane = asked++ % lanes.length;
    const answer = Promise.resolve(lanes[lane]).then(() => askNow(request));
    lanes[lane] = answer.catch(() => undefined);
    return answer;
  }
  const pairs = (flag: string, given: object): string[] =>
    Object.entries(given).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return Promise.resolve({
    tools: async () => (await ask('tools/list')).tools,
    resources: async () =>
      (await ask('resources/list')).resources.map(({ uri }: { uri: string }) => uri),
    templates: async () =>
      (await ask('resources/templates/list')).resourceTemplates.map(
        ({ uriTemplate }: { uriTemplate: string }) => uriTemplate,
      ),
    prompts: async () => (await ask('prompts/list')).prompts,
    call: (name, given) =>
      ask('tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(given)),
    read: async (uri) => textOf(await ask('resources/read', '--uri', uri)),
    prompt: (name, given) =>
      ask('prompts/get', '--prompt-name', name, ...pairs('--prompt-args', given)),
    close: () => Promise.resolve(),
  });
}

/** The first SDK's type also covers answers of a protocol older than ours. */
function toolAnswer(answer: Partial<ToolAnswer> | { toolResult: unknown }): ToolAnswer {
  if (!('content' in answer) || !answer.content) throw new Error('an answer without content');
  return { ...answer, content: answer.content };
}

function textOf({ contents }: { contents: object[] }): string {
  const [first] = contents;
  if (contents.length !== 1 || !first || !('text' in first) || typeof first.text !== 'string') {
    throw new Error(`not one text: ${JSON.stringify(contents).slice(0, 200)}`);
  }
  return first.text;
}
