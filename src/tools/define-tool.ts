import * as z from 'zod/v4';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { didYouMean } from '../did-you-mean.ts';
import { TracewrightError } from '../errors.ts';
import { argumentsUnder } from '../policy/arguments.ts';
import type { Reading } from '../reading.ts';

export type Toolset = 'scheduler' | 'collection' | 'host' | 'python';

/** Calls with the same queue run one after another, in the order in which they came. */
export type Queue =
  | 'profiler'
  | 'window'
  | 'bpf'
  | 'scx-stats'
  | 'dsq'
  | 'collection'
  | 'events'
  | 'functions'
  | 'python'
  | 'sched-trace';

/**
 * What a tool does to the host. `read`: looks at files and listings. `capture`: attaches or records
 * for a while, which costs the host something and changes nothing. `run`: runs a program of the
 * user's, which may do anything that its user may.
 */
export type Effect = 'read' | 'capture' | 'run';

type Definition<I extends z.ZodObject, D extends z.ZodObject> = Readonly<{
  name: string;
  title: string;
  toolset: Toolset;
  effect: Effect;
  queue?: Queue;
  /** When to use it, what it costs, what to use instead. */
  description: string;
  input: I;
  /** Other documented names of arguments, by the name that is listed. */
  aliases?: Readonly<Record<string, string>>;
  /** The documented fields of `data`. Loose: an added field must not break a client. */
  output: D;
  handle(input: z.output<I>, ctx: Context, call: Call): Promise<Reading<z.input<D>>>;
}>;

export type Tool = Readonly<{
  name: string;
  title: string;
  toolset: Toolset;
  effect: Effect;
  queue?: Queue | undefined;
  description: string;
  input: z.ZodObject;
  output: z.ZodObject;
  /** Checks the arguments (INVALID_PARAMS says what to change) and answers. */
  invoke(args: unknown, ctx: Context, call: Call): Promise<Reading<object>>;
}>;

/** A tool is a plain object; the arguments are typed inside and checked at the door. */
export function defineTool<I extends z.ZodObject, D extends z.ZodObject>(
  definition: Definition<I, D>,
): Tool {
  const { handle, aliases = {}, ...rest } = definition;
  return {
    ...rest,
    async invoke(args, ctx, call) {
      const named = withPlainIds(withListedNames(args, aliases));
      const allowed = argumentsUnder(ctx.policies, ctx.usersOf, rest.input, named);
      return await handle(checkArguments(rest.name, rest.input, allowed), ctx, call);
    },
  };
}

/** Two names of one argument stay both, so that the check refuses the alias as unknown. */
function withListedNames(args: unknown, aliases: Readonly<Record<string, string>>): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args;
  const given = new Set(Object.keys(args));
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const listed = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
      return [listed !== undefined && !given.has(listed) ? listed : name, value];
    }),
  );
}

/** Ids as answers and people write them: "1234" is the process 1234, a list of event types is one text. */
function withPlainIds(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args;
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const isId = name === 'pid' || name === 'tgid' || name === 'cpu';
      if (isId && typeof value === 'string' && /^(?:0|[1-9]\d{0,8})$/.test(value)) {
        return [name, Number(value)];
      }
      return [name, name === 'types' && Array.isArray(value) ? value.join(',') : value];
    }),
  );
}

/**
 * The parsed arguments, or INVALID_PARAMS that names each wrong one and what is accepted; `dashes`
 * stand before the names where they are options of a command.
 */
export function checkArguments<S extends z.ZodObject>(
  what: string,
  schema: S,
  args: unknown,
  dashes: '' | '--' = '',
): z.output<S> {
  const parsed = schema.safeParse(args ?? {}, { reportInput: true });
  if (parsed.success) return parsed.data;
  const names = Object.keys(schema.shape);
  const problems = parsed.error.issues.map((issue) => problemOf(issue, names, dashes));
  throw new TracewrightError(
    'INVALID_PARAMS',
    `${what}: ${problems.join('; ').slice(0, 600)}`,
    `Accepted: ${acceptedArguments(schema, dashes)}`,
  );
}

function problemOf(issue: z.core.$ZodIssue, names: readonly string[], dashes: string): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return `${issue.message}.${didYouMean(key, names)}`;
  }
  const name = issue.path.map(String).join('.');
  const message = messageOf(issue);
  return name === '' ? message : `${dashes}${name}: ${message}`;
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  boolean: 'true or false',
};

/** Which values there are is told with all that is accepted. */
function noSuchValue(input: unknown, values: readonly string[]): string {
  const given = String(input);
  return `there is no "${untrusted(given, 40)}".${didYouMean(given, values)}`;
}

/** A shell hands over text where a number is meant: what is wrong is the text, not its type. */
function messageOf(issue: z.core.$ZodIssue): string {
  const isWrong = issue.code === 'invalid_type' || issue.code === 'invalid_value';
  if (isWrong && issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_value') return noSuchValue(issue.input, issue.values.map(String));
  if (issue.code !== 'invalid_type') return issue.message;
  const kind = kinds[issue.expected];
  if (kind === undefined || typeof issue.input !== 'string') return issue.message;
  return `must be ${kind}, not the text "${untrusted(issue.input, 40)}"`;
}

function acceptedArguments(schema: z.ZodObject, dashes: string): string {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  const each = Object.entries(properties).map(([argument, property]) => {
    const name = `${dashes}${argument}`;
    if (typeof property !== 'object') return name;
    const { enum: values, type, minimum, maximum, default: fallback, description } = property;
    // Parameters of a URI are all text; what they mean stands in their own words.
    if (type === 'string' && !values && description) return `${name} (${description})`;
    const kind = values ? values.join('|') : `${type ?? 'text'}${rangeOf(minimum, maximum)}`;
    const usual = fallback === undefined || String(fallback) === '' ? '' : `, default ${fallback}`;
    return `${name} (${kind}${usual})`;
  });
  return each.length === 0 ? 'no arguments.' : `${each.join(', ')}.`;
}

/** Every number that JSON carries is a safe one: as a bound that says nothing. */
function rangeOf(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === undefined) return '';
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? ` from ${minimum}`
    : ` ${minimum} to ${maximum}`;
}

/** Keeps an argument out of listings: it works, and few need it. Documented ones are always listed. */
export const rarelyNeeded = { unlisted: true } as const;
