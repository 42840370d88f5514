import { parseStreamRecord, type StreamEvent } from './stream.ts';

export type NumberedEvent = Readonly<{ seq: number } & StreamEvent>;

/** An event behind its number, without what is not known. */
export function numbered(seq: number, { type, ts, cpu, ...fields }: StreamEvent): NumberedEvent {
  const event: { [field: string]: unknown } & NumberedEvent = { seq, type, ts, cpu };
  for (const field in fields) if (fields[field] !== null) event[field] = fields[field];
  return event;
}

/** A record as a line of JSON; null where it makes no sense. */
export function streamRecordJson(seq: number, record: string): string | null {
  const event = parseStreamRecord(record);
  return event === null ? null : JSON.stringify(numbered(seq, event));
}
