import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const client = () => new Client({ name: 'tracewright-test-v1', version: '1.0.0' });

/** Client and transport of the first SDK, which older MCP clients are made of. */
export function v1Client(server: Readonly<{ command: string; args: string[]; cwd: string }>) {
  return { client: client(), transport: new StdioClientTransport({ ...server, stderr: 'pipe' }) };
}

/** The same over HTTP, connected. */
export async function v1HttpClient(url: string, token: string) {
  const connected = client();
  const headers = { Authorization: `Bearer ${token}` };
  await connected.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  return connected;
}
