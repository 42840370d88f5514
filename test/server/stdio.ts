import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import * as z from 'zod/v4';
import { asNobody } from '../helper/installed.ts';

const Message = z.looseObject({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.looseObject({}).optional(),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
});
export type Message = z.infer<typeof Message>;

const bundle = 'dist/cli.js';

/** Where the server of the user nobody lies while live tests go through a helper; undefined: they do not. */
export const installed_folder = process.env['TRACEWRIGHT_LIVE_FOLDER'];
export const server: readonly [string, ...string[]] =
  installed_folder === undefined
    ? [process.execPath, bundle]
    : [
        '/usr/bin/setpriv',
        ...asNobody,
        ...[
          process.execPath,
          `${installed_folder}/${bundle}`,
          '--state-dir',
          `${installed_folder}/state/nobody`,
        ],
      ];

const children = new Set<ChildProcess>();
afterAll(() => {
  // Those of tests that failed; the others have ended.
  for (const child of children) child.kill('SIGTERM');
});

/** A JSON-RPC request as a line of text. */
export const line = (id: number, method: string, params: object = {}): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;

export const initialize = (protocolVersion = '2025-11-25'): string =>
  line(1, 'initialize', {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: 'test', version: '0' },
  });

/** What the server prints when all its input comes at once, by `printf … | tracewright mcp`. */
export function pipe(input: string, args: readonly string[] = ['mcp']) {
  const [program, ...words] = server;
  const done = spawnSync(program, [...words, ...args], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 26,
  });
  return { ...done, messages: parseLines(done.stdout) };
}

/** Every line of stdout as a message; a line that is not one fails the test that reads it. */
export function parseLines(stdout: string): Message[] {
  return stdout
    .split('\n')
    .filter((each) => each !== '')
    .map((each) => Message.parse(JSON.parse(each)));
}

/** A server that stays up, spoken to line by line. The second argument starts the program. */
export function connect(
  args: readonly string[] = ['mcp'],
  [program, ...words]: readonly [string, ...string[]] = server,
) {
  const child = spawn(program, [...words, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const messages: Message[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const message = Message.parse(JSON.parse(text));
    messages.push(message);
    if (message.id !== undefined && message.method === undefined)
      waiting.get(message.id)?.(message);
  });
  let next = 1;
  const request = (
    method: string,
    params: object = {},
  ): { id: number; answer: Promise<Message> } => {
    next += 1;
    const id = next;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    child.stdin.write(line(id, method, params));
    return { id, answer };
  };
  const notify = (method: string, params: object = {}): void => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`);
  };
  child.stdin.write(initialize());
  notify('notifications/initialized');
  return {
    child,
    messages,
    request,
    notify,
    call: (name: string, args: object = {}, meta?: object) =>
      request('tools/call', { name, arguments: args, ...(meta ? { _meta: meta } : {}) }).answer,
    read: (uri: string) => request('resources/read', { uri }).answer,
    close: () => child.stdin.end(),
  };
}
