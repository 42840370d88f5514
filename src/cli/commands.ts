import type { Context } from '../context.ts';
import { thereIsNo } from '../did-you-mean.ts';
import { TracewrightError } from '../errors.ts';
import type { Selection } from '../selection.ts';
import { surface } from '../surface.ts';
import { keyValues } from './arguments.ts';
import { captures } from './captures.ts';
import { collectToTheEnd } from './collection.ts';
import { doctor } from './doctor.ts';
import { showPolicy } from './policy.ts';
import { profileToTheEnd } from './profile.ts';
import { type ProfileOutput, profileCommand } from './profile-command.ts';
import type { Tell } from './progress.ts';
import { renderAnswer } from './render.ts';
import { setup } from './setup.ts';
import { shellCall } from './shell-call.ts';
import { summary } from './summary.ts';
import { renderTable } from './table.ts';
import { ownStyle, widthOf } from './terminal.ts';
import { unknownCommand } from './unknown-command.ts';

type Setting = Readonly<{
  ctx: Context;
  selection: Selection;
  json: boolean;
  output: ProfileOutput;
  /** Tells a person that the work goes on. */
  tell: Tell;
}>;
type Command = (words: readonly string[], setting: Setting) => string | Promise<string>;

const commands: Readonly<Record<string, Command>> = {
  summary: (_words, { ctx, json, tell }) => summary(ctx, shellCall(tell), json),
  doctor: (_words, { ctx, json, tell }) => doctor(ctx, shellCall(tell), json),
  tools: (_words, { selection, json }) =>
    listing(surface.listTools(selection), json, () =>
      surface.tools(selection).map(({ name, title }) => ({ name, title })),
    ),
  resources: (_words, { ctx: { settings }, json }) =>
    listing(
      { ...surface.listResources(settings), ...surface.listResourceTemplates(settings) },
      json,
      (all) => all.resources.map(({ uri, title }) => ({ uri, title })),
    ),
  prompts: (_words, { ctx: { settings }, json }) =>
    listing(surface.listPrompts(settings), json, ({ prompts }) =>
      prompts.map(({ name, title, arguments: args }) => ({
        name,
        arguments: args.map((each) => each.name).join(', '),
        title,
      })),
    ),
  call: callCommand,
  profile: async (words, { ctx, output, json, tell }) =>
    answer(await profileCommand(words, output, ctx, shellCall(tell)), json),
  setup: (words, { ctx }) => setup(words, ctx),
  captures: (words, { ctx, json }) => captures(words, ctx, json),
  completion: async ([shell]) => {
    const { completion } = await import('./completion.ts');
    return completion(shell);
  },
  policy: (_words, { ctx, selection, json }) => showPolicy(ctx, selection, json),
  read: async ([uri = ''], { ctx, json, tell }) =>
    answer(await surface.readResource(uri, ctx, shellCall(tell)), json),
  prompt: async ([name = '', ...words], { ctx, json, tell }) => {
    const prompt = await surface.getPrompt(name, keyValues(words), ctx, shellCall(tell));
    return json
      ? JSON.stringify(prompt)
      : prompt.messages.map((each) => each.content.text).join('\n');
  },
};

/** Those that run here; the rest have options that no other has. */
export const commandNames = Object.keys(commands);

/** What a tool begins cannot outlive the command: it is waited for and shown. */
const endsWithTheCommand: Readonly<Record<string, typeof profileToTheEnd>> = {
  start_perf_profiling: profileToTheEnd,
  enable_collection: collectToTheEnd,
};

/** Runs one word of the command line and gives what it prints. */
export function runCommand(
  word: string,
  words: readonly string[],
  setting: Setting,
): string | Promise<string> {
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (command) return command(words, setting);
  throw unknownCommand(word);
}

async function callCommand([name = '', ...words]: readonly string[], setting: Setting) {
  const { ctx, selection, json, tell } = setting;
  const offered = surface.tools(selection);
  const tool = offered.find((each) => each.name === name);
  if (!tool) {
    const refused = surface.refusedTool(selection, name);
    if (refused) throw refused;
    const names = offered.map((each) => each.name);
    throw new TracewrightError(
      'INVALID_PARAMS',
      thereIsNo('tool', name, names),
      `Choose from: ${names.join(', ')}.`,
    );
  }
  const described = surface.contractOf(tool);
  const args = keyValues(words, Object(described.inputSchema['properties']));
  const toTheEnd = endsWithTheCommand[tool.name];
  const given = toTheEnd
    ? await toTheEnd(args, ctx, shellCall(tell))
    : await surface.callTool(tool, args, ctx, shellCall(tell));
  return answer(given, json);
}

const answer = (given: object, json: boolean): string =>
  json ? JSON.stringify(given) : renderAnswer(given);

function listing<T extends object>(
  all: T,
  json: boolean,
  rows: (all: T) => Readonly<Record<string, unknown>>[],
): string {
  return json
    ? JSON.stringify(all)
    : renderTable(rows(all), widthOf(process.stdout), ownStyle()).join('\n');
}
