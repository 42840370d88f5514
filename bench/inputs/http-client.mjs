import { Agent, request } from 'node:http';

const stream = 'events://stream?types=system_stat,fork,exit';

/** A client of the one era or the other, with connections of its own. */
export async function connect({ port, token }, index) {
  const isModern = index % 2 === 1;
  const agent = new Agent({ keepAlive: true });
  const clientInfo = { name: `bench-${index}`, version: '0' };
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(isModern ? { 'mcp-protocol-version': '2026-07-28' } : {}),
  };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  let id = index * 1_000_000;

  /** Tells of each message; the promise is that of the head of the answer, and then of its end. */
  function send(method, body, own, onMessage) {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          path: '/mcp',
          method,
          agent,
          headers: { ...headers, ...own },
        },
        (response) => {
          const { statusCode } = response;
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
            for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
              const data = /^data: (.*)$/m.exec(text.slice(0, end));
              text = text.slice(end + 2);
              if (data) onMessage(JSON.parse(data[1]));
            }
          });
          response.once('error', () => {});
          const ended = new Promise((over) => {
            response.once('close', () => {
              if (text.startsWith('{')) onMessage(JSON.parse(text));
              over();
            });
          });
          resolve({ statusCode, headers: response.headers, ended, stop: () => sent.destroy() });
        },
      );
      sent.once('error', reject);
      sent.end(body === null ? undefined : JSON.stringify(body));
    });
  }

  async function ask(method, params, onMessage = () => {}) {
    id += 1;
    const mine = id;
    const named = params.name ?? params.uri;
    const own = isModern
      ? { 'mcp-method': method, ...(named === undefined ? {} : { 'mcp-name': named }) }
      : {};
    const full = isModern ? { ...params, _meta: meta } : params;
    let answer = null;
    const {
      statusCode,
      headers: got,
      ended,
    } = await send('POST', { jsonrpc: '2.0', id: mine, method, params: full }, own, (message) => {
      if (message.id === mine) answer = message;
      else onMessage(message);
    });
    if (got['mcp-session-id']) headers['mcp-session-id'] = got['mcp-session-id'];
    await ended;
    if (statusCode !== 200 || answer?.result === undefined) {
      throw new Error(`${method}: ${statusCode} ${JSON.stringify(answer).slice(0, 300)}`);
    }
    return answer.result;
  }

  if (isModern) await ask('server/discover', {});
  else await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });

  /** Subscribes; ends with `stop`. */
  async function listen(onNotice) {
    const take = ({ method }) => {
      if (method === 'notifications/resources/updated') onNotice();
    };
    if (isModern) {
      id += 1;
      const params = { notifications: { resourceSubscriptions: [stream] }, _meta: meta };
      const body = { jsonrpc: '2.0', id, method: 'subscriptions/listen', params };
      return await send('POST', body, { 'mcp-method': 'subscriptions/listen' }, take);
    }
    const listening = await send('GET', null, {}, take);
    await ask('resources/subscribe', { uri: stream });
    return listening;
  }

  return { isModern, ask, listen, end: () => agent.destroy() };
}
