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
  contractOf,

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

/**
 * A tool as clients list it. Of the answer only the names of its data: the envelope is the same for
 * all tools, and a listing is read into every conversation.
 */
function describeTool(tool: Tool) {
  const { name, title, description, effect, input, output } = tool;
  const data = Object.fromEntries(Object.keys(output.shape).map((field) => [field, {}]));
  return {
    name,
    title,
    description,
    inputSchema: jsonSchema(input),
    outputSchema: {
      type: 'object' as const,
      properties: {
        success: { const: true },
        summary: { type: 'array' },
        data: { type: 'object', properties: data },
      },
      required: ['success', 'data'],
    },
    annotations: { ...hints[effect], destructiveHint: false, openWorldHint: false },
  };
}

/** A tool as it is documented and tested: with the whole schema of its answer. */
function contractOf(tool: Tool) {
  return { ...describeTool(tool), outputSchema: jsonSchema(envelopeSchema(tool.output)) };
}

function jsonSchema(schema: z.ZodObject): JSONObject & { type: 'object' } {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', override: withoutNoise });
  const plain: JSONObject = JSON.parse(JSON.stringify(rest));
  return { ...plain, type: 'object' };
}

/** Every integer that JSON carries is a safe one: as bounds these only cost. */
function withoutNoise({ jsonSchema: node }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
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
