import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, initialize, line, parseLines, pipe } from './stdio.ts';

test('every answer arrives though stdin ends right after the last request', () => {
  const input = [
    initialize('2024-11-05'),
    line(2, 'tools/list'),
    line(3, 'resources/read', { uri: 'stats://system/cpu' }),
    line(4, 'tools/call', { name: 'get_topology', arguments: {} }),
    line(5, 'prompts/get', { name: 'summarize_system' }),
    line(6, 'resources/read', { uri: 'stats://aggregated/process' }),
  ].join('');
  const { messages, status } = pipe(input);
  expect(messages.map((each) => each.id).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(messages.filter((each) => each.error)).toEqual([]);
  expect(status).toBe(0);
});

test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
  'a client that asks for %s gets that version',
  (version) => {
    const [answer] = pipe(initialize(version)).messages;
    expect(answer?.result?.['protocolVersion']).toBe(version);
  },
);

test.each([
  ['2024-11-05', 'svg', ['text']],
  ['2025-06-18', 'svg', ['text', 'resource_link']],
  ['2024-11-05', 'png', ['text', 'image']],
  ['2025-06-18', 'png', ['text', 'image', 'resource_link']],
])('a client of %s that asks for %s gets content that it knows: %j', (version, form, types) => {
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-links-'));
  try {
    writeFileSync(join(folder, 'stacks.folded'), 'main;work 7\n');
    const args = { capture: 'stacks.folded', view: `flamegraph.${form}` };
    const input =
      initialize(version) + line(2, 'tools/call', { name: 'profile_view', arguments: args });
    const { messages } = pipe(input, [
      'mcp',
      '--import-root',
      folder,
      '--state-dir',
      join(folder, 's'),
    ]);
    const content = messages.find(({ id }) => id === 2)?.result?.['content'];
    expect(content).toMatchObject(types.map((type) => ({ type })));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a 2026-07-28 client is answered without a handshake', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const { messages } = pipe(
    line(1, 'server/discover', { _meta: meta }) + line(2, 'tools/list', { _meta: meta }),
  );
  const byId = new Map(messages.map((each) => [each.id, each]));
  expect(byId.get(1)?.result?.['supportedVersions']).toContain('2026-07-28');
  expect(byId.get(2)?.result?.['tools']).toBeInstanceOf(Array);
  expect(byId.get(2)?.result?.['ttlMs']).toBeGreaterThan(0);
});

test('--once ends the server after the first request, with stdin still open', async () => {
  const server = connect(['mcp', '--once']);
  const ended = new Promise((resolve) => server.child.once('exit', resolve));
  const { answer } = server.request('tools/list');
  expect((await answer).result?.['tools']).toBeInstanceOf(Array);
  expect(await ended).toBe(0);
});

test('--once answers the first request alone', () => {
  const input = initialize() + line(2, 'tools/list') + line(3, 'prompts/list');
  const { messages, status } = pipe(input, ['mcp', '--once']);
  expect(messages.map((each) => each.id)).toEqual([1, 2]);
  expect(status).toBe(0);
});

test('a wrong name in the selection fails the start', () => {
  const { status, stderr, stdout } = pipe(initialize(), ['mcp', '--tools', 'get_topolgy']);
  expect(stdout).toBe('');
  expect(stderr).toContain('get_topolgy');
  expect(status).toBe(2);
});

test.each([['--mcp'], ['--mcp-daemon'], ['mcp', '--daemon']])('%s serves MCP', (...args) => {
  expect(pipe(initialize(), args).messages[0]?.result).toBeDefined();
});

test('an unknown tool is a protocol error that names the tools there are', async () => {
  const server = connect();
  const { error } = await server.call('no_such_tool');
  server.close();
  expect(error?.code).toBe(-32602);
  expect(error?.message).toContain('get_topology');
});

test('an unknown argument is refused by name, with what is accepted', async () => {
  const server = connect();
  const { result } = await server.call('get_topology', { detial_level: 'full' });
  server.close();
  expect(result?.['isError']).toBe(true);
  expect(result?.['structuredContent']).toBeUndefined();
  const body = JSON.parse(String(Object(result?.['content'])[0].text));
  expect(body).toMatchObject({
    success: false,
    tool: 'get_topology',
    error: { code: 'INVALID_PARAMS', recoverable: true },
  });
  expect(body.error.message).toContain('detial_level');
  expect(body.error.suggestion).toContain('detail_level');
});

test('an argument of the wrong type is refused, not replaced by a default', async () => {
  const server = connect();
  const { result } = await server.call('list_events', { subsystem: 'sched', limit: 'ten' });
  server.close();
  expect(result?.['isError']).toBe(true);
  expect(JSON.stringify(result)).toContain('limit');
});

test.each(['nope://x', 'file:///etc/passwd', 'stats://aggregated/process/../../etc'])(
  'the unknown resource %s is resource-not-found',
  async (uri) => {
    const server = connect();
    const { error } = await server.read(uri);
    server.close();
    expect(error?.message).toContain('Resource not found');
  },
);

test.each([
  ['stats://aggregated/process?limit=-1', 'limit'],
  ['stats://aggregated/process?pid=../1', 'pid'],
  ['stats://aggregated/process?limit=1&limit=2', 'twice'],
  ['stats://aggregated/process?bogus=1', 'bogus'],
])('%s is an error that names %s', async (uri, name) => {
  const server = connect();
  const { error } = await server.read(uri);
  server.close();
  expect(error?.code).toBe(-32602);
  expect(error?.message).toContain(name);
});

test('calls on the profiler are answered in the order in which they came', async () => {
  const server = connect();
  const calls = [
    server.call('stop_perf_profiling'),
    server.call('get_perf_results'),
    server.call('stop_perf_profiling'),
  ];
  await Promise.all(calls);
  server.close();
  const answered = server.messages.flatMap(({ id }) => (id !== undefined && id > 1 ? [id] : []));
  expect(answered).toEqual([...answered].sort((a, b) => a - b));
});

test('a canceled read is dropped and the server goes on', async () => {
  const server = connect();
  const slow_ms = 10_000;
  await server.request('ping').answer;
  const started = performance.now();
  const slow = server.request('resources/read', {
    uri: `stats://system/cpu?window_ms=${slow_ms}`,
    _meta: { progressToken: 'slow' },
  });
  const progress = () => server.messages.find(({ params }) => params?.['progressToken'] === 'slow');
  await expect.poll(progress, { timeout: slow_ms }).toBeDefined();
  server.notify('notifications/cancelled', { requestId: slow.id, reason: 'test' });
  // Same queue: it has to wait for its turn behind the canceled one.
  const { result } = await server.read('stats://system/cpu?window_ms=200');
  // Behind one that goes on to its end there is no answer before that.
  expect(performance.now() - started).toBeLessThan(slow_ms);
  expect(result).toBeDefined();
  expect(server.messages.map(({ id }) => id)).not.toContain(slow.id);
  server.close();
});

test('a client that waits gets progress each second', async () => {
  const server = connect();
  await server.call(
    'read_resource',
    { uri: 'stats://system/cpu?window_ms=3500' },
    { progressToken: 'p' },
  );
  server.close();
  const steps = server.messages
    .filter((each) => each.method === 'notifications/progress')
    .map((each) => each.params?.['progress']);
  expect(steps.slice(0, 3)).toEqual([1, 2, 3]);
});

test('garbage on stdin gets no answer and does no harm', () => {
  const { stdout } = pipe(`not json\n{"half":\n${initialize()}${line(2, 'prompts/list')}`);
  expect(parseLines(stdout).map((each) => each.id)).toEqual([1, 2]);
});

test('a client that closes its end of stdout ends the server', async () => {
  const server = connect();
  const ended = new Promise((resolve) => server.child.once('exit', resolve));
  server.child.stdout.destroy();
  server.request('tools/list');
  server.request('resources/list');
  await expect(ended).resolves.toBeDefined();
});
