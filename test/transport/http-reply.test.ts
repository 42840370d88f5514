import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Reply, sendReply } from '../../src/transport/http-reply.ts';

const megabyte = Buffer.alloc(1 << 20, 'x');

/** An answer that goes on for ever, and how much of it was asked for. */
function endless() {
  let pulled = 0;
  let isCanceled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(megabyte);
    },
    cancel() {
      isCanceled = true;
    },
  });
  return { response: new Response(body), pulled: () => pulled, isCanceled: () => isCanceled };
}

/** Serves the answer to one client, which gets the head of it. */
async function served(response: Response, stall_ms: number) {
  let reply: Reply | undefined;
  const server = createServer((_request, out) => {
    reply = sendReply(response, out, stall_ms);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = get({ port, host: '127.0.0.1', agent: false });
  request.on('error', () => {});
  const [incoming] = await once(request, 'response');
  if (reply === undefined) throw new Error('nothing was sent');
  return { reply, incoming };
}

test('a client that takes nothing is disconnected, and no more is made for it', async () => {
  const { response, pulled, isCanceled } = endless();
  const { reply, incoming } = await served(response, 500);
  incoming.pause();
  await expect.poll(reply.isFull, { timeout: 10_000 }).toBe(true);
  await reply.done;
  const before = pulled();
  // What the kernel holds for the two ends, and little more.
  expect(before).toBeLessThan(64);
  expect(isCanceled()).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(pulled()).toBe(before);
});

test('a client that goes away ends what is made for it', async () => {
  const { response, isCanceled } = endless();
  const { reply, incoming } = await served(response, 60_000);
  incoming.destroy();
  await reply.done;
  expect(isCanceled()).toBe(true);
});
