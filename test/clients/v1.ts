import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

/** Client and transport of the first SDK, which older MCP clients are made of. */
export function v1Client(server: Readonly<{ command: string; args: string[]; cwd: string }>) {
  const client = new Client({ name: 'tracewright-test-v1', version: '1.0.0' });
  const transport = new StdioClientTransport({ ...server, stderr: 'pipe' });
  return { client, transport };
}
