import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { inspectorCommandLine } from '../clients/inspector.ts';
import { v1Client } from '../clients/v1.ts';

type ConnectOptions = Readonly<{
  cwd?: string;
  /** `legacy` opens with initialize (up to 2025-11-25), `modern` is 2026-07-28 and nothing else. */
  era?: 'legacy' | 'modern';
}>;

/** A server that a real client started. */
type Connection<C> = Readonly<{
  client: C;
  pid: number;
  /** What the server has written to stderr so far. */
  stderr(): string;
  close(): Promise<void>;
}>;

/** Starts the server and connects the client of @modelcontextprotocol/sdk 1.x. */
export async function connectV1(
  command: string,
  args: readonly string[],
  { cwd = process.cwd() }: ConnectOptions = {},
): Promise<Connection<ReturnType<typeof v1Client>['client']>> {
  const { client, transport } = v1Client({ command, args: [...args], cwd });
  const stderr = collect(transport.stderr);
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, stderr, close: () => client.close() };
}

/** Starts the server and connects the client of @modelcontextprotocol/client 2.x. */
export async function connectV2(
  command: string,
  args: readonly string[],
  { cwd = process.cwd(), era = 'legacy' }: ConnectOptions = {},
): Promise<Connection<Client>> {
  const mode = era === 'modern' ? { pin: '2026-07-28' } : ('legacy' as const);
  const client = new Client(
    { name: 'tracewright-test-v2', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  const transport = new StdioClientTransport({ command, args: [...args], cwd, stderr: 'pipe' });
  const stderr = collect(transport.stderr);
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, stderr, close: () => client.close() };
}

/** One call of the Inspector's command line: it starts the server, asks one thing and leaves. */
export async function inspector(
  server: readonly string[],
  request: readonly string[],
  { cwd = process.cwd(), era = 'legacy' }: ConnectOptions = {},
): Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>> {
  const [node, script] = inspectorCommandLine();
  const flags = ['--format', 'json', '--quiet', '--protocol-era', era, ...request];
  const child = spawn(node, [script, ...flags, '--', ...server], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin', HOME: cwd },
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

function collect(stream: { on(event: 'data', take: (chunk: Buffer) => void): unknown } | null) {
  let said = '';
  stream?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return (): string => said;
}
