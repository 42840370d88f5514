import * as z from 'zod/v4';
import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { checkArguments, type Queue } from '../tools/define-tool.ts';
import type { PreparedText } from '../transport/prepared-text.ts';

type Definition<Q extends z.ZodObject> = Readonly<{
  uri: string;
  name: string;
  title: string;
  /** What it tells, over which window, and what it costs. */
  description: string;
  queue?: Queue;
  /** Listed and read by servers in daemon mode alone. */
  daemonOnly?: boolean;
  /** Where it is not JSON, what it is. */
  mimeType?: string;
  /** Parameters after `?`. Every value comes as text. */
  query: Q;
  read(query: z.output<Q>, ctx: Context, call: Call): Promise<Reading<object>>;
  /** Where it is not JSON: what clients get in place of it. */
  text?(query: z.output<Q>, ctx: Context, call: Call): Promise<ResourceText>;
}>;

/** What a client gets. Long text may be prepared for the way out; some resources are of several types. */
export type ResourceText = string | PreparedText | TypedContent;

export type TypedContent = Readonly<{ mimeType: string; content: string | Uint8Array }>;

type Parameters = Readonly<Record<string, string>>;

export type Resource = Readonly<{
  uri: string;
  name: string;
  title: string;
  description: string;
  queue?: Queue | undefined;
  daemonOnly: boolean;
  mimeType: string;
  /** Names of the parameters that the URI template offers. */
  parameters: readonly string[];
  /** One line on each parameter. */
  help: string;
  /** Values of the parameters that have a closed set of them. */
  choices: Readonly<Record<string, readonly string[]>>;
  /** Reads it with the parameters of a URI's query; INVALID_PARAMS says what to change. */
  read(parameters: Parameters, ctx: Context, call: Call): Promise<Reading<object>>;
  /** What clients get in place of JSON; null where it is JSON. */
  text: ((parameters: Parameters, ctx: Context, call: Call) => Promise<ResourceText>) | null;
}>;

export function defineResource<Q extends z.ZodObject>(definition: Definition<Q>): Resource {
  const { query, read, text, ...rest } = definition;
  return {
    daemonOnly: false,
    mimeType: 'application/json',
    ...rest,
    parameters: Object.keys(query.shape),
    help: helpOf(query),
    choices: choicesOf(query),
    async read(parameters, ctx, call) {
      return await read(checkArguments(rest.uri, query, parameters), ctx, call);
    },
    text: text
      ? async (parameters, ctx, call) =>
          await text(checkArguments(rest.uri, query, parameters), ctx, call)
      : null,
  };
}

function helpOf(query: z.ZodObject): string {
  const choices = choicesOf(query);
  return Object.entries(query.shape)
    .map(([name, { description = 'text' }]) => {
      const values = choices[name];
      return `${name} (${description}${values ? `: ${values.join('|')}` : ''})`;
    })
    .join(', ');
}

function choicesOf(query: z.ZodObject): Record<string, string[]> {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' });
  const choices: Record<string, string[]> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property === 'object' && property.enum) choices[name] = property.enum.map(String);
  }
  return choices;
}

export const noQuery = z.strictObject({});

/** A whole number that arrives as text: "007", "1e3", " 5" and "-0" are not one. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^(?:0|[1-9]\d{0,11})$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** Paging that every list offers: `limit` rows from `offset` on. */
export const pageQuery = (limit: number, maxLimit: number) => ({
  limit: wholeNumber(1, maxLimit).default(limit).describe(`rows, default ${limit}`),
  offset: wholeNumber(0, 10_000_000).default(0).describe('rows to skip, default 0'),
});
