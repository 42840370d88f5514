import * as z from 'zod/v4';
import type { EventType } from '../../parsers/stream/stream.ts';
import { reusePieces } from '../collectors/byte-pieces.ts';
import { collectStream, collectStreamLines, type StreamQuery } from '../collectors/event-stream.ts';
import { stream_uri } from '../collectors/event-types.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { checkArguments } from '../tools/define-tool.ts';
import { eventTypeList } from '../tools/event-type-list.ts';
import { preparePiece } from '../transport/prepared-text.ts';
import { defineResource, type ResourceText, wholeNumber } from './define-resource.ts';

/** As long as numbers in a URI may be. */
const largest = 999_999_999_999;

export const eventsStream = defineResource({
  uri: stream_uri,
  name: 'events-stream',
  title: 'Live scheduler events',
  description:
    'The events of the kernel as they happen, one JSON object per line (NDJSON): switches, wakeups, migrations, forks, exits, alerts. Subscribe and tracking starts; a read gives the events since the last one, then a line of type "cursor" with next_seq and what was dropped and why. The last to unsubscribe detaches everything. control_event_tracking chooses what is tracked.',
  daemonOnly: true,
  mimeType: 'application/x-ndjson',
  query: z.strictObject({
    after: wholeNumber(0, largest)
      .optional()
      .describe('events behind this number; default since the last read'),
    limit: wholeNumber(1, 50_000)
      .optional()
      .describe('events, default as many as fit 8,000 tokens'),
    types: eventTypeList.optional().describe('comma-separated types to show'),
    pid: wholeNumber(0, 4_194_304).optional().describe('only what names this task'),
  }),
  read: (query, ctx, call) => inDaemon(ctx, () => collectStream(ctx, query, call)),
  text: (query, ctx, call) => inDaemon(ctx, () => asLines(query, ctx, call)),
});

function inDaemon<T>({ settings }: Context, read: () => Promise<T>): Promise<T> {
  if (settings.daemon) return read();
  throw new TracewrightError(
    'FEATURE_UNAVAILABLE',
    'events://stream is there in daemon mode only.',
    'Start the server with `tracewright mcp --daemon`, or use control_event_tracking and read_events.',
  );
}

/** The types that a URI of the stream names, or null where it names none. */
export function streamTypes(uri: string): readonly EventType[] | null {
  const text = new URLSearchParams(uri.slice(stream_uri.length)).get('types');
  if (text === null) return null;
  return checkArguments(stream_uri, z.object({ types: eventTypeList }), { types: text }).types;
}

/** One event per line; the last line says where to go on. */
async function asLines(query: StreamQuery, ctx: Context, call: Call): Promise<ResourceText> {
  // Programs that read a fast stream say how much they take, and want no words about it.
  if (query.limit !== undefined) {
    const { pieces, place } = await collectStreamLines(ctx, query, call);
    const escaped = [...pieces, preparePiece(cursorLine(place))];
    return { escaped, sent: () => reusePieces(pieces) };
  }
  const { data, ...measured } = await collectStream(ctx, query, call);
  const { events, ...place } = data;
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  return `${lines.join('')}${cursorLine({ ...place, ...measured })}`;
}

const cursorLine = (cursor: object): string => `${JSON.stringify({ type: 'cursor', ...cursor })}\n`;
