import type { Call, Context, Settings } from './context.ts';
import { contractOf, describeTool } from './describe-tool.ts';
import { didYouMean, thereIsNo } from './did-you-mean.ts';
import { TracewrightError } from './errors.ts';
import { isOfflineResource, offlineRefusal } from './offline.ts';
import { refusingFile } from './policy/policy.ts';
import type { Prompt } from './prompts/define-prompt.ts';
import { prompts } from './prompts/index.ts';
import { resources } from './resources/index.ts';
import { findResource, readResource, readResourceText, uriTemplate } from './resources/read.ts';
import { refusedTool, type Selection, selectTools } from './selection.ts';
import { askTool, callTool } from './tools/call.ts';

/**
 * What the server and the command line both offer, with the tools, resources and prompts behind
 * it. Loaded on the first request that needs it, because a client waits for `initialize`.
 */
export const surface = {
  tools: selectTools,
  refusedTool,
  resources,
  prompts,
  askTool,
  callTool,
  readResource,
  readResourceText,
  findResource,

  describeTool,
  contractOf,
  didYouMean,

  listTools: (selection: Selection) => ({ tools: selectTools(selection).map(describeTool) }),

  listResources: (settings: Settings) => ({
    resources: offered(settings)
      .filter(hasOneUri)
      .map(({ uri, name, title, description, mimeType }) => ({
        uri,
        name,
        title,
        description,
        mimeType,
      })),
  }),

  listResourceTemplates: (settings: Settings) => ({
    resourceTemplates: offered(settings).flatMap((resource) => {
      const template = uriTemplate(resource);
      if (template === null) return [];
      const { name, title, description, mimeType } = resource;
      return [
        {
          uriTemplate: template,
          name: hasOneUri(resource) ? `${name}-with-parameters` : name,
          title: hasOneUri(resource) ? `${title}, with parameters` : title,
          description: `${description} Parameters: ${resource.help}.`,
          mimeType,
        },
      ];
    }),
  }),

  /** Each of them is about the machine as it is now. */
  listPrompts: ({ offline }: Settings) => ({
    prompts: (offline ? [] : prompts).map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: args.map((each) => ({ ...each })),
    })),
  }),

  async getPrompt(name: string, args: unknown, ctx: Context, call: Call) {
    const prompt = findPrompt(name);
    if (ctx.settings.offline) throw offlineRefusal(`the prompt ${name}`);
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

/** Where the path itself has parameters there is only a template to list. */
const hasOneUri = ({ uri }: { uri: string }): boolean => !uri.includes('{');

/** Those that this server can answer. */
const offered = ({ daemon, offline, policies = [] }: Settings) =>
  resources.filter(
    ({ uri, daemonOnly }) =>
      (daemon || !daemonOnly) &&
      (!offline || isOfflineResource(uri)) &&
      refusingFile(policies, 'resources', uri) === null,
  );

function findPrompt(name: string): Prompt {
  const prompt = prompts.find((each) => each.name === name);
  if (prompt) return prompt;
  const names = prompts.map((each) => each.name);
  throw new TracewrightError(
    'INVALID_PARAMS',
    thereIsNo('prompt', name, names),
    `Choose from: ${names.join(', ')}.`,
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
