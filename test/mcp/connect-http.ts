import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** The client of @modelcontextprotocol/client 2.x over HTTP, connected. */
export async function v2HttpClient(
  url: string,
  token: string,
  era: 'legacy' | 'modern',
): Promise<Client> {
  const mode = era === 'modern' ? { pin: '2026-07-28' } : ('legacy' as const);
  const client = new Client(
    { name: 'tracewright-test-v2', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  const headers = { Authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  return client;
}
