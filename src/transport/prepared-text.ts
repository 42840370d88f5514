import { randomUUID } from 'node:crypto';

/**
 * Long text of an answer as what stands between the quotes of a JSON string, in pieces. The SDK
 * makes two more copies of an answer as strings, which for megabytes a second cost more than making
 * it: such text goes past the SDK, which gets a word that stands for it.
 */
export type PreparedText = Readonly<{
  escaped: readonly Buffer[];
  /** Called once they have gone out: whoever made them may write others into their memory. */
  sent?(): void;
}>;

/** A message whose text was prepared, as it goes out. */
export type PreparedMessage = Readonly<{ pieces: readonly (string | Buffer)[]; sent(): void }>;

const waiting = new Map<string, PreparedText>();
/** An answer that is not sent, since its request was canceled, leaves its text here for a while. */
const most_waiting = 8;

export const preparePiece = (text: string): Buffer =>
  Buffer.from(JSON.stringify(text).slice(1, -1));

/** A word for the text, which nobody can guess. */
export function standIn(text: PreparedText): string {
  const word = `prepared-${randomUUID()}`;
  waiting.set(word, text);
  const [oldest] = waiting.keys();
  if (waiting.size > most_waiting && oldest !== undefined) waiting.delete(oldest);
  return word;
}

/** The text itself, for a transport that writes whole messages. */
export const plainText = ({ escaped }: PreparedText): string =>
  String(JSON.parse(`"${Buffer.concat(escaped).toString()}"`));

/** A message of which the text was prepared; null for any other one. */
export function withPreparedText(message: object): PreparedMessage | null {
  if (waiting.size === 0) return null;
  const word: unknown = Object(message).result?.contents?.[0]?.text;
  const text = typeof word === 'string' ? waiting.get(word) : undefined;
  if (typeof word !== 'string' || text === undefined) return null;
  waiting.delete(word);
  const [before = '', after = ''] = JSON.stringify(message).split(word);
  const pieces = [before, ...text.escaped, `${after}\n`];
  return { pieces, sent: () => text.sent?.() };
}
