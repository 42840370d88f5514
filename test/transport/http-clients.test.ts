import { readFileSync, statSync } from 'node:fs';
import { Client as V2Client } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { v1HttpClient } from '../clients/v1.ts';
import { v2HttpClient } from '../mcp/connect-http.ts';
import { startHttp } from './http-started.ts';

const obstacle = tracingObstacle(createContext({ daemon: true, readOnly: false }), 'events');
/** Comes each second, and needs no program in the kernel. */
const uri = 'events://stream?types=system_stat';

const clients = [
  { label: 'SDK 1.x', connect: v1HttpClient },
  {
    label: 'SDK 2.x, initialize',
    connect: (url: string, token: string) => v2HttpClient(url, token, 'legacy'),
  },
  {
    label: 'SDK 2.x, 2026-07-28',
    connect: (url: string, token: string) => v2HttpClient(url, token, 'modern'),
  },
] as const;

test.each(clients)('$label lists, calls, reads and prompts over HTTP', async ({ connect }) => {
  const { url, token } = await startHttp();
  const client = await connect(url, token);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('get_topology');
  const answer = await client.callTool({ name: 'get_topology', arguments: {} });
  const { summary } = Object(answer.structuredContent)['data'];
  expect(summary.total_cpus).toBeGreaterThan(0);
  const read = await client.readResource({ uri: 'stats://system/memory' });
  expect(JSON.parse(Object(read.contents[0])['text'])).toMatchObject({
    used_bytes: expect.any(Number),
  });
  const prompt = await client.getPrompt({ name: 'summarize_system' });
  expect(prompt.messages).toHaveLength(1);
  const wrong = await client.callTool({ name: 'get_topology', arguments: { detail: 1 } });
  expect(wrong.isError).toBe(true);
  await client.close();
});

test.each(clients)('$label is told how far a slow call is', async ({ connect }) => {
  const { url, token } = await startHttp();
  const client = await connect(url, token);
  const steps: number[] = [];
  const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress);
  const params = {
    name: 'read_resource',
    arguments: { uri: 'stats://system/cpu?window_ms=2500' },
  };
  if (client instanceof V2Client) await client.callTool(params, { onprogress });
  else await client.callTool(params, undefined, { onprogress });
  expect(steps.slice(0, 2)).toEqual([1, 2]);
  await client.close();
});

test('the token is in a file that its owner alone can read, and is said nowhere', async () => {
  const { url, token, tokenFile, said, pid } = await startHttp();
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  const client = await v1HttpClient(url, token);
  await client.listTools();
  await expect(v1HttpClient(url, 'x'.repeat(64))).rejects.toThrow();
  await client.close();
  expect(said()).toContain(tokenFile);
  expect(said()).not.toContain(token);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(token);
});

test('a session that a client ends is gone', async () => {
  const { url, token } = await startHttp();
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
  };
  const post = (message: object, session?: string) =>
    fetch(url, {
      method: 'POST',
      headers: session === undefined ? headers : { ...headers, 'Mcp-Session-Id': session },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const clientInfo = { name: 'test', version: '0' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
  const opened = await post({ id: 1, method: 'initialize', params });
  expect(await opened.text()).toContain('"protocolVersion":"2025-06-18"');
  const session = opened.headers.get('mcp-session-id') ?? '';
  const listed = await post({ id: 2, method: 'prompts/list' }, session);
  expect(await listed.text()).toContain('debug_high_latency');
  const ended = await fetch(url, {
    method: 'DELETE',
    headers: { ...headers, 'Mcp-Session-Id': session },
  });
  expect(ended.status).toBe(200);
  const late = await post({ id: 3, method: 'prompts/list' }, session);
  expect(late.status).toBe(404);
  expect(await late.text()).toContain('Send initialize for a new one');
});

test.skipIf(obstacle !== null)(
  'each session has its own place in the one event stream and hears of its own subscription (needs root and bpftrace)',
  { timeout: 90_000 },
  async () => {
    const { url, token } = await startHttp('--daemon');
    const told = { first: [] as string[], second: [] as string[], third: [] as string[] };
    const [first, second] = [
      await v2HttpClient(url, token, 'legacy'),
      await v2HttpClient(url, token, 'legacy'),
    ];
    const third = await v2HttpClient(url, token, 'modern');
    for (const [name, client] of [
      ['first', first],
      ['second', second],
      ['third', third],
    ] as const) {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        told[name].push(params.uri);
      });
    }
    await first.subscribeResource({ uri });
    await expect.poll(() => told.first.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    expect(told.second).toEqual([]);
    const subscription = await third.listen({ resourceSubscriptions: [uri] });
    await expect.poll(() => told.third.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    expect(told.second).toEqual([]);

    const seqs = async (client: V2Client): Promise<number[]> => {
      const { contents } = await client.readResource({ uri: 'events://stream' });
      const lines: unknown[] = Object(contents[0])
        ['text'].trimEnd()
        .split('\n')
        .map((line: string) => JSON.parse(line));
      return lines.slice(0, -1).map((line) => Object(line)['seq']);
    };
    const ofFirst = await seqs(first);
    expect(ofFirst[0]).toBe(1);
    // What one has read the others still have before them.
    expect((await seqs(second))[0]).toBe(1);
    expect((await seqs(third))[0]).toBe(1);
    expect((await seqs(third))[0]).toBe(1);
    await expect
      .poll(async () => (await seqs(first))[0], { timeout: 15_000 })
      .toBeGreaterThan(ofFirst.at(-1) ?? 0);

    const state = async () => {
      const answer = await second.callTool({
        name: 'control_event_tracking',
        arguments: { action: 'status' },
      });
      return Object(answer.structuredContent)['data'];
    };
    expect(await state()).toMatchObject({ state: 'running', subscribers: 2 });
    await first.unsubscribeResource({ uri });
    await subscription.close();
    await expect
      .poll(state, { timeout: 15_000 })
      .toMatchObject({ state: 'stopped', subscribers: 0 });
    // A session that ends lets go of what it watched.
    await first.subscribeResource({ uri });
    expect(await state()).toMatchObject({ subscribers: 1 });
    const { transport } = first;
    if (transport && 'terminateSession' in transport) await Object(transport).terminateSession();
    await expect
      .poll(state, { timeout: 15_000 })
      .toMatchObject({ state: 'stopped', subscribers: 0 });
    for (const client of [first, second, third]) await client.close();
  },
);
