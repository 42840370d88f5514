import { TracewrightError } from '../../errors.ts';
import { converse } from '../../exec/conversation.ts';
import type { Client } from './clients.ts';
import { type Entry, shellWords } from './entry.ts';

/** What the configured server answered. */
export type Checked = Readonly<{
  server: string;
  protocol: string;
  tools: number;
  took_ms: number;
}>;

const patience_ms = 30_000;

/** Starts the server as the client would, shakes hands and lists its tools. */
export async function checkEntry(client: Client, { command, args }: Entry): Promise<Checked> {
  const begun_ms = performance.now();
  const talk = converse(command, args, patience_ms, process.env);
  const asked = (id: number, method: string, params: object) =>
    talk.say(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  asked(1, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: `tracewright config ${client.name}`, version: '1' },
  });
  const greeting = await answer(talk.next, 1);
  talk.say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  asked(2, 'tools/list', {});
  const listing = greeting === null ? null : await answer(talk.next, 2);
  const { exit_code, stderr, problem } = await talk.end();
  if (greeting === null || listing === null) {
    const said = stderr.trim().split('\n').slice(-3).join(' | ');
    const how = problem ?? (said === '' ? `it ended with exit code ${exit_code}` : said);
    throw new TracewrightError(
      'EXECUTION_FAILED',
      `${client.title} would not get an answer from ${shellWords([command, ...args])}: ${how}`,
      remedy(client, `${how} ${said}`),
    );
  }
  const { serverInfo, protocolVersion } = Object(greeting);
  const { name = 'a server', version = '' } = Object(serverInfo);
  return {
    server: `${name} ${version}`.trim(),
    protocol: String(protocolVersion),
    tools: Array.isArray(Object(listing).tools) ? Object(listing).tools.length : 0,
    took_ms: Math.round(performance.now() - begun_ms),
  };
}

/** The result of one request; null where the server ended before it, or answered an error. */
async function answer(next: () => Promise<string | null>, id: number): Promise<unknown> {
  for (;;) {
    const line = await next();
    if (line === null) return null;
    const message = messageIn(line);
    if (message['id'] === id) return message['result'] ?? null;
  }
}

/** Whatever else a program prints is no message. */
function messageIn(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}

/** The change that most probably helps, by what was said. */
function remedy({ name }: Client, said: string): string {
  const anew = `tracewright config ${name} --write`;
  if (/password is required|a terminal is required|not allowed to execute/.test(said)) {
    return `Let sudo run this command without a password (visudo), or do without root: ${anew} --via direct`;
  }
  if (/ENOENT|command not found|No such file/.test(said)) {
    return `Install what is missing, or write the entry anew: ${anew}`;
  }
  if (/Permission denied|Host key verification|Could not resolve/.test(said)) {
    return 'Make this work first: ssh -T -o BatchMode=yes HOST true';
  }
  return 'Run the command in a terminal: it says more there.';
}
