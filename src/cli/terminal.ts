type Environment = Readonly<Record<string, string | undefined>>;
type Stream = Readonly<{ isTTY?: boolean; columns?: number }>;

/** How wide text may be. A file or a pipe has no edge. */
export const widthOf = ({ isTTY, columns }: Stream): number =>
  isTTY && columns ? columns : Number.POSITIVE_INFINITY;

/**
 * Whether to colour: FORCE_COLOR decides where it is set (0 and false: never), then NO_COLOR
 * (https://no-color.org: any value but none), then whether there is a terminal.
 */
export function isColoured({ isTTY }: Stream, environment: Environment): boolean {
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (environment['NO_COLOR']) return false;
  return Boolean(isTTY) && environment['TERM'] !== 'dumb';
}

type Paint = (text: string) => string;

/** What text means; how it looks is decided here. */
export type Style = Readonly<{ head: Paint; good: Paint; poor: Paint; bad: Paint; faint: Paint }>;

export function styleFor(coloured: boolean): Style {
  const paint =
    (codes: string): Paint =>
    (text) =>
      coloured && text !== '' ? `\u001b[${codes}m${text}\u001b[0m` : text;
  return {
    head: paint('1'),
    good: paint('32'),
    poor: paint('33'),
    bad: paint('31'),
    faint: paint('2'),
  };
}

/** How the answers of this process look. */
export const ownStyle = (): Style => styleFor(isColoured(process.stdout, process.env));
