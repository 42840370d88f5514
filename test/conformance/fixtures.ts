import * as z from 'zod/v4';
import { TracewrightError } from '../../src/errors.ts';
import { definePrompt } from '../../src/prompts/define-prompt.ts';
import { defineResource, noQuery } from '../../src/resources/define-resource.ts';
import { defineTool } from '../../src/tools/define-tool.ts';

/** What the suite asks a server for by name, made the way in which ours are made. */
const common = { toolset: 'scheduler', effect: 'read', output: z.looseObject({}) } as const;
const told = { data: {}, source: 'test', summary: ['This is a simple text response for testing.'] };

export const tools = [
  defineTool({
    ...common,
    name: 'test_simple_text',
    title: 'Text',
    description: 'Answers with text.',
    input: z.strictObject({}),
    handle: () => Promise.resolve(told),
  }),
  defineTool({
    ...common,
    name: 'test_logging_tool',
    title: 'No log',
    description: 'Answers with text, as every tool without a message of a log.',
    input: z.strictObject({}),
    handle: () => Promise.resolve(told),
  }),
  defineTool({
    ...common,
    name: 'test_error_handling',
    title: 'Error',
    description: 'Fails.',
    input: z.strictObject({}),
    handle() {
      throw new TracewrightError('EXECUTION_FAILED', 'This tool fails always.', 'Do not call it.');
    },
  }),
  defineTool({
    ...common,
    name: 'test_tool_with_progress',
    title: 'Progress',
    description: 'Takes so long that progress is told three times.',
    input: z.strictObject({}),
    async handle(_input, ctx, { signal }) {
      await ctx.sleep(3500, signal);
      return told;
    },
  }),
];

const resource = { title: 'Test', description: 'For the test.' };
const nothing = () => Promise.resolve({ data: {}, source: 'test', summary: [] });

export const resources = [
  defineResource({
    ...resource,
    uri: 'test://static-text',
    name: 'static-text',
    mimeType: 'text/plain',
    query: noQuery,
    read: nothing,
    text: () => Promise.resolve('This is the content of the static text resource.'),
  }),
  defineResource({
    ...resource,
    uri: 'test://static-binary',
    name: 'static-binary',
    mimeType: 'image/png',
    query: noQuery,
    read: nothing,
    text: () =>
      Promise.resolve({ mimeType: 'image/png', content: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) }),
  }),
  defineResource({
    ...resource,
    uri: 'test://template/{id}/data',
    name: 'template',
    query: z.strictObject({ id: z.string().describe('any') }),
    read: ({ id }) => Promise.resolve({ data: { id }, source: 'test', summary: [`Data of ${id}`] }),
  }),
];

export const prompts = [
  definePrompt({
    name: 'test_simple_prompt',
    title: 'Simple',
    description: 'Without arguments.',
    args: z.strictObject({}),
    write: () => Promise.resolve('This is a simple prompt for testing.'),
  }),
  definePrompt({
    name: 'test_prompt_with_arguments',
    title: 'With arguments',
    description: 'With two arguments.',
    args: z.strictObject({
      arg1: z.string().describe('the first'),
      arg2: z.string().describe('the second'),
    }),
    complete: { arg1: () => ['paris', 'park', 'party'] },
    write: ({ arg1, arg2 }) => Promise.resolve(`Prompt with arguments: '${arg1}', '${arg2}'`),
  }),
];
