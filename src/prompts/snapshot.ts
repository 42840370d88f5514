import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { readResource } from '../resources/read.ts';

/** What one resource says at the moment, in the words a person would use. */
export type Glimpse = Readonly<{
  uri: string;
  /** Window behind the rates; null where there are none. */
  window_ms: number | null;
  lines: readonly string[];
  unavailable: readonly Unavailable[];
}>;

/** Reads resources now. One that fails is a glimpse that says why; it never fails the others. */
export function glimpses(uris: readonly string[], ctx: Context, call: Call): Promise<Glimpse[]> {
  return Promise.all(uris.map((uri) => glimpse(uri, ctx, call)));
}

async function glimpse(uri: string, ctx: Context, call: Call): Promise<Glimpse> {
  try {
    const {
      summary = [],
      unavailable = [],
      window_ms = null,
    }: Partial<Document> = await readResource(uri, ctx, call);
    return { uri, window_ms, lines: summary, unavailable };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return {
      uri,
      window_ms: null,
      lines: [],
      unavailable: [{ what: uri, reason: message, fix: suggestion }],
    };
  }
}

type Document = {
  summary: readonly string[];
  unavailable: readonly Unavailable[];
  window_ms: number | null;
};

/** ", over 501 ms", or nothing. */
export const overWindow = ({ window_ms }: Glimpse): string =>
  window_ms === null ? '' : `, over ${window_ms} ms`;

/** The glimpses as Markdown: the state now, and what cannot be told here and why. */
export function snapshotSection(all: readonly Glimpse[], ctx: Context): string {
  const missing = missingIn(all);
  return [
    `## ${ctx.host} at ${ctx.now().toISOString()}`,
    ...all.flatMap((each) =>
      each.lines.length === 0
        ? []
        : [`\n\`${each.uri}\`${overWindow(each)}`, ...each.lines.map((line) => `- ${line}`)],
    ),
    ...(missing.length === 0 ? [] : ['\n## Not available on this host', ...missing.map(bullet)]),
  ].join('\n');
}

/** What the glimpses could not tell; what several of them lack is said once. */
export function missingIn(all: readonly Glimpse[]): readonly Unavailable[] {
  const each = all.flatMap(({ unavailable }) => unavailable);
  return [...new Map(each.map((one) => [`${one.what} ${one.reason}`, one])).values()];
}

const bullet = ({ what, reason, fix }: Unavailable): string =>
  `- ${what}: ${reason}${fix === null ? '' : ` Fix: \`${fix}\``}`;
