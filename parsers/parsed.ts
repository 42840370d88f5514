/** What a parser could not read, with the place where it stands. */
export type ParseWarning = Readonly<{ line: number; reason: string; text: string }>;

/** Every parser that meets odd lines answers with what it understood and what it did not. */
export type Parsed<T> = Readonly<{ data: T; warnings: readonly ParseWarning[] }>;

/** The text as a whole cannot be trusted: nothing is returned rather than half. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly line: number;
  constructor(reason: string, line = 0) {
    super(line > 0 ? `line ${line}: ${reason}` : reason);
    this.line = line;
  }
}

export function warn(line: number, reason: string, text: string): ParseWarning {
  return { line, reason, text: text.slice(0, 80) };
}
