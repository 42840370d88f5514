import { describe, expect, test } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { connectV2 } from '../mcp/connect.ts';
import { connect, type Message } from './stdio.ts';

const obstacle = tracingObstacle(createContext({ daemon: true, readOnly: false }), 'events');
/** Comes each second, and needs no program in the kernel. */
const uri = 'events://stream?types=system_stat';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** What comes each second may come late on a busy machine. */
const patiently = { timeout: 20_000, interval: 100 };
const isUpdate = ({ method }: Message) => method === 'notifications/resources/updated';

/** The events of an answer and the cursor line behind them. */
function parseStream({ result }: Message) {
  const [content] = Object(result)['contents'];
  const lines: unknown[] = content.text
    .trimEnd()
    .split('\n')
    .map((line: string) => JSON.parse(line));
  return { mimeType: content.mimeType, events: lines.slice(0, -1), cursor: Object(lines.at(-1)) };
}

describe.skipIf(obstacle !== null)('a subscriber (needs root and bpftrace)', () => {
  test('is told of news of the URI that it named until it unsubscribes', async () => {
    const server = connect(['mcp', '--daemon']);
    const subscribed = await server.request('resources/subscribe', { uri }).answer;
    expect(subscribed.error).toBeUndefined();
    const all = () => server.messages.filter(isUpdate);
    await expect.poll(() => all().length, patiently).toBeGreaterThanOrEqual(2);
    const updates = all();
    expect(new Set(updates.map(({ params }) => params?.['uri']))).toEqual(new Set([uri]));
    await server.request('resources/unsubscribe', { uri }).answer;
    const before = server.messages.filter(isUpdate).length;
    await pause(1500);
    expect(server.messages.filter(isUpdate)).toHaveLength(before);
    server.close();
  });

  test('reads one event per line and where to go on', async () => {
    const server = connect(['mcp', '--daemon']);
    await server.request('resources/subscribe', { uri }).answer;
    const gathered = async () =>
      parseStream(await server.read('events://stream?after=0')).events.length;
    await expect.poll(gathered, patiently).toBeGreaterThanOrEqual(3);
    const { mimeType, events, cursor } = parseStream(await server.read('events://stream'));
    expect(mimeType).toBe('application/x-ndjson');
    const [first, second] = events;
    expect([first, second]).toMatchObject([{ type: 'trace_started' }, { type: 'system_stat' }]);
    expect(cursor).toMatchObject({ type: 'cursor', next_seq: events.length, pending: 0 });
    const again = parseStream(await server.read('events://stream?after=1&limit=1'));
    expect(again.events).toEqual([second]);
    server.close();
  });

  test('of 2026-07-28 listens until it closes its subscription', async () => {
    const era = 'modern' as const;
    const { client, close } = await connectV2(
      process.execPath,
      ['dist/cli.js', 'mcp', '--daemon'],
      {
        era,
      },
    );
    const told: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      told.push(params.uri);
    });
    const state = async () => {
      const { structuredContent } = await client.callTool({
        name: 'control_event_tracking',
        arguments: { action: 'status' },
      });
      return Object(structuredContent)['data'];
    };
    const subscription = await client.listen({ resourceSubscriptions: [uri] });
    await expect.poll(() => told.length, patiently).toBeGreaterThanOrEqual(3);
    expect(new Set(told)).toEqual(new Set([uri]));
    expect(await state()).toMatchObject({ state: 'running', subscribers: 1 });
    await subscription.close();
    await expect.poll(state, patiently).toMatchObject({ state: 'stopped', subscribers: 0 });
    await close();
  });

  test('that does not take what it is sent is not sent more', async () => {
    const server = connect(['mcp', '--daemon']);
    await server.request('resources/subscribe', { uri }).answer;
    server.child.stdout.pause();
    // More than a pipe holds: from here on the client is full.
    for (let time = 0; time < 12; time++) server.request('tools/list');
    // One a second: some may come before the pipe is full, and one as soon as it is not.
    await pause(8000);
    const all = () => server.messages.filter(isUpdate).length;
    const before = all();
    server.child.stdout.resume();
    await pause(400);
    expect(all() - before).toBeLessThanOrEqual(3);
    await expect.poll(all, patiently).toBeGreaterThan(before + 1);
    server.close();
  });
});

test('only events://stream can be subscribed to', async () => {
  const server = connect(['mcp', '--daemon']);
  const { error } = await server.request('resources/subscribe', { uri: 'stats://system/cpu' })
    .answer;
  server.close();
  expect(error?.code).toBe(-32602);
  expect(error?.message).toContain('events://stream');
});

test('a server that is no daemon does not list the stream and says how to get it', async () => {
  const server = connect(['mcp']);
  const { result } = await server.request('resources/list').answer;
  const { error } = await server.read('events://stream');
  const subscribed = await server.request('resources/subscribe', { uri }).answer;
  server.close();
  expect(JSON.stringify(result)).not.toContain('events://stream');
  expect(error?.message).toContain('--daemon');
  expect(subscribed.error?.message).toContain('--daemon');
});

test('a daemon lists the stream as NDJSON', async () => {
  const server = connect(['mcp', '--daemon']);
  const { result } = await server.request('resources/list').answer;
  server.close();
  expect(Object(result)['resources']).toContainEqual(
    expect.objectContaining({ uri: 'events://stream', mimeType: 'application/x-ndjson' }),
  );
});
