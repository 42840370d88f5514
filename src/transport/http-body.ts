import type { IncomingMessage } from 'node:http';
import type { Refusal } from './http-refusal.ts';

type Body = Readonly<{ refusal: Refusal | null; json: unknown }>;

/** The JSON of a request, read no further than the limit. Rejects where the client went away. */
export async function readJson(request: IncomingMessage, most_bytes: number): Promise<Body> {
  const tooLong: Body = {
    refusal: { status: 413, message: `A request is at most ${most_bytes} bytes long.` },
    json: undefined,
  };
  if (Number(request.headers['content-length'] ?? 0) > most_bytes) return tooLong;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > most_bytes) return tooLong;
    chunks.push(chunk);
  }
  try {
    const json: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return { refusal: null, json };
  } catch {
    const message = 'The body is not JSON. Send one JSON-RPC message.';
    return { refusal: { status: 400, message, code: -32_700 }, json: undefined };
  }
}
