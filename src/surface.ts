import type { JSONObject } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { envelopeSchema } from './answer.ts';
import type { Call, Context } from './context.ts';
import { TracewrightError } from './errors.ts';
import type { Prompt } from './prompts/define-prompt.ts';
import { prompts } from './prompts/index.ts';
import { resources } from './resources/index.ts';
import { findResource, readResource, uriTemplate } from './resources/read.ts';
import { type Selection, selectTools } from './selection.ts';
import { callTool } from './tools/call.ts';
import type { Effect, Tool } from './tools/define-tool.ts';

/** MCP annotations follow from the one word that a tool says about itself. */
const hints: Readonly<Record<Effect, { readOnlyHint: boolean; idempotentHint: boolean }>> = {
  read: { readOnlyHint: true, idempotentHint: true },
  capture: { readOnlyHint: false, idempotentHint: false },
};

/**
 * What the server and the command line both offer, with the tools, resources and prompts behind
 * it. Loaded on the first request that needs it, because a client waits for `initialize`.
 */
export const surface = {
  tools: selectTools,
  resources,
  prompts,
  callTool,
  readResource,
  isResource: (uri: string): boolean => findResource(uri) !== undefined,

  describeTool,

  listTools: (selection: Selection) => ({ tools: selectTools(selection).map(describeTool) }),

  listResources: () => ({
    resources: resources.map(({ uri, name, title, description }) => ({
      uri,
      name,
      title,
      description,
      mimeType: 'application/json',
    })),
  }),

  listResourceTemplates: () => ({
    resourceTemplates: resources.flatMap((resource) => {
      const template = uriTemplate(resource);
      if (template === null) return [];
      const { name, title, description } = resource;
      return [
        {
          uriTemplate: template,
          name: `${name}-with-parameters`,
          title: `${title}, with parameters`,
          description: `${description} Parameters: ${resource.help}.`,
          mimeType: 'application/json',
        },
      ];
    }),
  }),

  listPrompts: () => ({
    prompts: prompts.map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: args.map((each) => ({ ...each })),
    })),
  }),

  async getPrompt(name: string, args: unknown, ctx: Context, call: Call) {
    const prompt = findPrompt(name);
    const text = await prompt.write(args, ctx, call);
    return {
      description: prompt.description,
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }],
    };
  },

  /** Values for a prompt argument or a template parameter that start with what was typed. */
  complete(
    ref: Readonly<{ type: string; name?: string | undefined; uri?: string | undefined }>,
    argument: Readonly<{ name: string; value: string }>,
    ctx: Context,
  ) {
    const values =
      ref.type === 'ref/prompt'
        ? findPrompt(ref.name ?? '').complete(argument.name, argument.value, ctx)
        : templateValues(ref.uri ?? '', argument);
    return { completion: { values: [...values], total: values.length, hasMore: false } };
  },
};

function describeTool(tool: Tool) {
  const { name, title, description, effect, input, output } = tool;
  return {
    name,
    title,
    description,
    inputSchema: jsonSchema(input),
    outputSchema: jsonSchema(envelopeSchema(output)),
    annotations: { title, ...hints[effect], destructiveHint: false, openWorldHint: false },
  };
}

function jsonSchema(schema: z.ZodObject): JSONObject & { type: 'object' } {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  const plain: JSONObject = JSON.parse(JSON.stringify(rest));
  return { ...plain, type: 'object' };
}

function findPrompt(name: string): Prompt {
  const prompt = prompts.find((each) => each.name === name);
  if (prompt) return prompt;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `There is no prompt "${name.slice(0, 80)}".`,
    `Choose from: ${prompts.map((each) => each.name).join(', ')}.`,
  );
}

function templateValues(
  template: string,
  argument: Readonly<{ name: string; value: string }>,
): readonly string[] {
  const resource = resources.find((each) => uriTemplate(each) === template);
  const values = resource?.choices[argument.name] ?? [];
  return values.filter((value) => value.startsWith(argument.value));
}
