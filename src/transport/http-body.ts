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
  const text = await readText(request, most_bytes);
  if (text === null) return tooLong;
  try {
    const json: unknown = JSON.parse(text);
    return { refusal: null, json };
  } catch {
    const message = 'The body is not JSON. Send one JSON-RPC message.';
    return { refusal: { status: 400, message, code: -32_700 }, json: undefined };
  }
}

/** Null where there is more of it; the rest is not read. */
function readText(request: IncomingMessage, most_bytes: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= most_bytes) chunks.push(chunk);
      else {
        request.pause();
        resolve(null);
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client went away')));
  });
}
