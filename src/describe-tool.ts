import type { JSONObject } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { envelopeSchema } from './answer.ts';
import type { Effect, Tool } from './tools/define-tool.ts';

/** MCP annotations follow from the one word that a tool says about itself. */
const hints: Readonly<Record<Effect, object>> = {
  read: { readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false },
  capture: {
    readOnlyHint: false,
    idempotentHint: false,
    destructiveHint: false,
    openWorldHint: false,
  },
  run: { readOnlyHint: false, idempotentHint: false, destructiveHint: true, openWorldHint: true },
};

/** That there is structured content is all that a listing says; what is in it, the answer shows. */
const listedOutput = { type: 'object' as const };

/**
 * A tool as clients list it. A listing is read into every conversation: what a wrong call is told
 * anyway (bounds, unknown arguments), rarely needed arguments and titles are left out of it.
 */
export function describeTool({ name, description, effect, input }: Tool) {
  const { additionalProperties: _, properties, ...schema } = jsonSchema(input, forListing);
  const listed: Record<string, JSONObject> = {};
  for (const [argument, property] of Object.entries(Object(properties))) {
    if (!Object(property)[unlisted]) listed[argument] = Object(property);
  }
  return {
    name,
    description,
    inputSchema: { ...schema, type: 'object' as const, properties: listed },
    outputSchema: listedOutput,
    annotations: hints[effect],
  };
}

/** A tool as it is documented and tested: every argument with its bounds, the whole answer. */
export function contractOf(tool: Tool) {
  return {
    ...describeTool(tool),
    title: tool.title,
    inputSchema: jsonSchema(tool.input, withoutNoise),
    outputSchema: jsonSchema(envelopeSchema(tool.output), withoutNoise),
  };
}

const unlisted = 'unlisted';

type Override = (context: { jsonSchema: z.core.JSONSchema.BaseSchema }) => void;

function jsonSchema(schema: z.ZodObject, override: Override): JSONObject & { type: 'object' } {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', override });
  const plain: JSONObject = JSON.parse(JSON.stringify(rest));
  return { ...plain, type: 'object' };
}

/** Every integer that JSON carries is a safe one: as bounds these only cost. */
const withoutNoise: Override = ({ jsonSchema: node }) => {
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
};

const forListing: Override = (context) => {
  withoutNoise(context);
  const { jsonSchema: node } = context;
  for (const bound of ['minLength', 'maxLength', 'minItems', 'maxItems', 'pattern'] as const) {
    delete node[bound];
  }
  if (node.minimum === 0 || node.minimum === 1) delete node.minimum;
  if ((node.maximum ?? 0) >= 20) delete node.maximum;
  const { default: usual } = node;
  if (
    usual === '' ||
    usual === false ||
    usual === 0 ||
    (Array.isArray(usual) && usual.length === 0)
  ) {
    delete node.default;
  }
};
