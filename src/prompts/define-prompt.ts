import type * as z from 'zod/v4';
import type { Call, Context } from '../context.ts';
import { checkArguments } from '../tools/define-tool.ts';

type Definition<A extends z.ZodObject> = Readonly<{
  name: string;
  title: string;
  description: string;
  /** MCP prompt arguments are text, always. */
  args: A;
  /** Values that a client may offer while the user types. */
  complete?: Readonly<Record<string, (ctx: Context) => readonly string[]>>;
  /** The workflow as Markdown, with a live snapshot of this host in it. */
  write(args: z.output<A>, ctx: Context, call: Call): Promise<string>;
}>;

export type PromptArgument = Readonly<{ name: string; description: string; required: boolean }>;

export type Prompt = Readonly<{
  name: string;
  title: string;
  description: string;
  arguments: readonly PromptArgument[];
  complete(argument: string, typed: string, ctx: Context): readonly string[];
  /** INVALID_PARAMS names the wrong argument and what is accepted. */
  write(args: unknown, ctx: Context, call: Call): Promise<string>;
}>;

/** The specification allows 100 values in one completion answer. */
const max_completions = 100;

export function definePrompt<A extends z.ZodObject>(definition: Definition<A>): Prompt {
  const { name, title, description, args, complete = {}, write } = definition;
  return {
    name,
    title,
    description,
    arguments: Object.entries(args.shape).map(([argument, schema]) => ({
      name: argument,
      description: schema.description ?? '',
      required: !schema.safeParse(undefined).success,
    })),
    complete(argument, typed, ctx) {
      const values = complete[argument]?.(ctx) ?? [];
      return values.filter((value) => value.startsWith(typed)).slice(0, max_completions);
    },
    async write(given, ctx, call) {
      return await write(checkArguments(name, args, given), ctx, call);
    },
  };
}
