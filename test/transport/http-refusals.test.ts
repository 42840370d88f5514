import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { httpHere, initialize, origin, rpc } from './http-in-process.ts';

const list = rpc(2, 'tools/list');
const slowest = rpc(7, 'resources/read', { uri: 'stats://system/cpu?window_ms=10000' });

test.each([
  ['no token', { headers: { authorization: undefined } }, 401, 'Authorization: Bearer'],
  ['a wrong token', { headers: { authorization: 'Bearer wrong' } }, 401, 'on stderr'],
  ['another scheme', { headers: { authorization: 'Basic eDp5' } }, 401, 'Authorization: Bearer'],
  [
    'a name that was bound to our address',
    { headers: { host: 'evil.example:80' } },
    403,
    'localhost',
  ],
  ['a Host that is none', { headers: { host: '[' } }, 403, 'localhost'],
  ['a web page', { headers: { origin: 'https://evil.example' } }, 403, '--allow-origin'],
  ['a page without an origin', { headers: { origin: 'null' } }, 403, '--allow-origin'],
  ['another path', { path: '/sse' }, 404, '/mcp'],
  ['PUT', { method: 'PUT' }, 405, 'POST'],
  ['OPTIONS', { method: 'OPTIONS' }, 405, 'POST'],
  [
    'a client that takes no stream',
    { headers: { accept: 'application/json' } },
    406,
    'text/event-stream',
  ],
  ['GET of a page', { method: 'GET', headers: { accept: 'text/html' } }, 406, 'text/event-stream'],
  ['a form', { headers: { 'content-type': 'text/plain' } }, 415, 'application/json'],
  ['no JSON', { body: '{"half":' }, 400, 'not JSON'],
  ['no session', { body: list }, 400, 'initialize'],
  ['an unknown session', { body: list, headers: { 'mcp-session-id': 'x' } }, 404, 'initialize'],
  ['GET without a session', { method: 'GET' }, 400, 'initialize'],
  ['a batch of initialize', { body: [initialize, initialize] }, 400, 'initialize'],
])('%s is refused, with a word on what to do', async (_, asked, status, word) => {
  const { ask } = await httpHere();
  const answer = await ask({ body: initialize, ...asked });
  expect(answer.status).toBe(status);
  const { error, id } = JSON.parse(answer.text);
  expect(id).toBeNull();
  expect(error.code).toBeLessThan(0);
  expect(error.message).toContain(word);
  if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  if (status === 405) expect(answer.headers.allow).toContain('POST');
});

test('a page of an allowed origin is served, and its browser may ask first', async () => {
  const { ask } = await httpHere();
  const asked = await ask({ method: 'OPTIONS', headers: { origin, authorization: undefined } });
  expect(asked.status).toBe(204);
  expect(asked.headers['access-control-allow-origin']).toBe(origin);
  // What it learns without a token it learns under a name of ours only.
  const headers = { origin, host: 'evil.example', authorization: undefined };
  expect((await ask({ method: 'OPTIONS', headers })).status).toBe(403);
  const served = await ask({ headers: { origin }, body: initialize });
  expect(served.status).toBe(200);
  expect(served.headers['access-control-expose-headers']).toBe('Mcp-Session-Id');
  expect((await ask({ headers: { origin }, body: '{' })).headers).toHaveProperty('vary');
});

test.each([
  ['announced', true],
  ['not announced', false],
])('a body of more than a megabyte is refused when its length is %s', async (_, announced) => {
  const { port, raw } = await httpHere();
  const socket = raw();
  const answer = text(socket);
  const length = announced ? 'Content-Length: 1048577' : 'Transfer-Encoding: chunked';
  socket.on('error', () => {});
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer a-token-that-only-this-test-knows\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
  );
  if (!announced) socket.write(`100001\r\n${' '.repeat(0x10_0001)}\r\n`);
  expect(await answer).toMatch(/^HTTP\/1.1 413 /);
});

test.each([
  ['nothing', ''],
  ['half a head', 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-'],
  [
    'half a body',
    'POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-that-only-this-test-knows\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ],
])('a connection on which %s comes is closed', async (_, part) => {
  const { raw, ask } = await httpHere({ header_ms: 2000, request_ms: 2500 });
  const socket = raw();
  socket.on('error', () => {});
  socket.write(part);
  const closed = once(socket.resume(), 'close');
  // Others are served meanwhile.
  expect((await ask({ body: initialize })).status).toBe(200);
  await closed;
});

test('who asks too often is told to wait', async () => {
  const { ask, session } = await httpHere({ per_second: 0.001, burst: 3 });
  const id = await session();
  const statuses: number[] = [];
  for (let time = 0; time < 5; time++) {
    const { status, headers } = await ask({
      body: rpc(time, 'ping'),
      headers: { 'mcp-session-id': id },
    });
    statuses.push(status);
    if (status === 429) expect(headers['retry-after']).toBe('1');
  }
  expect(statuses[0]).toBe(200);
  expect(statuses).toContain(429);
});

test('who guesses tokens is held off, and a client with the token is not', async () => {
  const { ask } = await httpHere({ wrong_tokens_per_second: 0 });
  const statuses = new Set<number>();
  for (let time = 0; time < 25; time++) {
    statuses.add((await ask({ headers: { authorization: `Bearer ${time}` } })).status);
  }
  expect(statuses).toEqual(new Set([401, 429]));
  expect((await ask({ body: initialize })).status).toBe(200);
});

test('sessions are bounded: a busy place is kept, an idle one is given to the next', async () => {
  const kept = await httpHere({ sessions: 2 });
  await kept.session();
  await kept.session();
  const third = await kept.ask({ body: initialize });
  expect(third.status).toBe(503);
  expect(third.headers['retry-after']).toBe('30');
  expect(kept.server.sessions()).toBe(2);

  const given = await httpHere({ sessions: 2, evict_ms: 0 });
  const first = await given.session();
  await given.session();
  expect((await given.ask({ body: initialize })).status).toBe(200);
  expect(given.server.sessions()).toBe(2);
  const late = await given.ask({ body: list, headers: { 'mcp-session-id': first } });
  expect(late.status).toBe(404);
});

test('a session that nobody uses ends', async () => {
  const { server, session } = await httpHere({ idle_ms: 200 });
  await session();
  await expect.poll(server.sessions, { timeout: 10_000 }).toBe(0);
});

test('an id that is in use is refused, and so is one request too many', async () => {
  const { ask, begin, session } = await httpHere({ busy: 2 });
  const headers = { 'mcp-session-id': await session() };
  const slow = rpc(7, 'resources/read', { uri: 'stats://system/cpu?window_ms=5000' });
  const first = await begin({ headers, body: slow });
  expect((await ask({ headers, body: rpc(7, 'ping') })).text).toContain('id 7 is in use');
  const batch = [rpc(8, 'ping'), rpc(9, 'ping')];
  expect((await ask({ headers, body: batch })).status).toBe(429);
  expect(await first.text()).toContain('"id":7');
});

test('a canceled request ends its stream', async () => {
  const { ask, begin, session } = await httpHere();
  const headers = { 'mcp-session-id': await session() };
  const slow = await begin({ headers, body: slowest });
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
  expect((await ask({ headers, body: cancel })).status).toBe(202);
  expect(await slow.text()).toBe('');
});

test('what is being answered is finished when the server ends, and nothing new is taken', async () => {
  const { server, ask, begin, session } = await httpHere();
  const headers = { 'mcp-session-id': await session() };
  const body = rpc(7, 'resources/read', { uri: 'stats://system/cpu?window_ms=1500' });
  const slow = (await begin({ headers, body })).text();
  const listening = (await begin({ method: 'GET', headers })).text();
  await server.close(20_000);
  expect(await slow).toContain('"result"');
  expect(await listening).toBe('');
  await expect(ask({ headers, body: list })).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/);
  expect(server.sessions()).toBe(0);
});

test('what takes longer than the end may take is cut off', async () => {
  const { server, begin, session } = await httpHere();
  const headers = { 'mcp-session-id': await session() };
  const slow = (await begin({ headers, body: slowest })).text();
  await server.close(100);
  expect(await slow).toBe('');
});
