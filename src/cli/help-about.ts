import type { Resource } from '../resources/define-resource.ts';
import { surface } from '../surface.ts';
import { type Command, commandTable } from './command-table.ts';
import { columns, commandUsage, entries, help, optionUsage, type Row, wrapped } from './help.ts';
import { widthOf } from './terminal.ts';
import { unknownCommand } from './unknown-command.ts';

/** Lines longer than this are hard to read, however wide the terminal. */
const most_columns = 100;

/** `tracewright COMMAND --help`, and that of what the command is about: a tool, a resource, a prompt. */
export function helpAbout(
  [word, subject]: readonly string[],
  width = Math.min(widthOf(process.stdout), most_columns),
): string {
  if (word === undefined) return help();
  const command = commandTable.find(({ name }) => name === word);
  if (!command) throw unknownCommand(word);
  const about = subject === undefined ? null : aboutSubject(command, subject);
  const [usage, text, rows] = about ?? [commandUsage(command), `${sentence(command.help)}.`, []];
  const own = entries
    .filter(([, { for: users = [] }]) => users.includes(command.name))
    .map(([name, option]): Row => [optionUsage(name, option), option.help]);
  const example = about || !command.example ? [] : ['', `Example: tracewright ${command.example}`];
  return [
    `Usage: tracewright ${usage} [OPTIONS]`,
    '',
    ...wrapped(text, width),
    ...section('Arguments', rows, width),
    ...section('Options', own, width),
    ...example,
    '',
    ...(about ? [] : moreOnOne(command)),
    'Options that every command has: tracewright --help',
  ].join('\n');
}

/** Where the names that a command takes are listed, and how to learn more on one of them. */
function moreOnOne({ name }: Command): string[] {
  const lists = {
    call: ['TOOL', 'tools'],
    read: ['URI', 'resources'],
    prompt: ['NAME', 'prompts'],
  };
  const found = Object.entries(lists).find(([command]) => command === name);
  if (!found) return [];
  const [word, listing] = found[1];
  return [`All of them: tracewright ${listing}`, `More on one: tracewright ${name} ${word} --help`];
}

const section = (title: string, rows: readonly Row[], width: number): string[] =>
  rows.length === 0 ? [] : ['', title, ...columns(rows, width)];

type About = readonly [usage: string, text: string, rows: readonly Row[]];

/** The words that follow a command, where they name something; an unknown name tells nothing. */
function aboutSubject({ name: command }: Command, subject: string): About | null {
  if (command === 'call') return aboutTool(subject);
  if (command === 'prompt') return aboutPrompt(subject);
  const resource = command === 'read' ? surface.findResource(subject) : undefined;
  return resource ? aboutResource(resource) : null;
}

function aboutTool(name: string): About | null {
  const tool = surface.tools({ readOnly: false }).find((each) => each.name === name);
  if (!tool) return null;
  const { properties } = surface.contractOf(tool).inputSchema;
  const rows = Object.entries(Object(properties)).map(
    ([argument, property]): Row => [`${argument}=${placeholder(property)}`, argumentHelp(property)],
  );
  return [`call ${name} key=value…`, tool.description, rows];
}

function aboutPrompt(name: string): About | null {
  const prompt = surface.prompts.find((each) => each.name === name);
  if (!prompt) return null;
  const rows = prompt.arguments.map((each): Row => [`${each.name}=…`, each.description]);
  return [`prompt ${name} key=value…`, prompt.description, rows];
}

const aboutResource = ({ uri, description, parameters, help: told }: Resource): About => [
  `read '${uri}${parameters.length === 0 ? '' : '?key=value&…'}'`,
  `${description}${parameters.length === 0 ? '' : ` Parameters: ${told}.`}`,
  [],
];

function placeholder(property: unknown): string {
  const { enum: values, type } = Object(property);
  if (Array.isArray(values)) return values.join('|');
  if (type === 'integer' || type === 'number') return 'N';
  return type === 'boolean' ? 'true|false' : 'TEXT';
}

/** `how thorough; 1 to 60; default 5` */
function argumentHelp(property: unknown): string {
  const { description, minimum, maximum, default: usual } = Object(property);
  const range = maximum === undefined ? [] : [`${minimum ?? 'up'} to ${maximum}`];
  const fallback = usual === undefined ? [] : [`default ${JSON.stringify(usual)}`];
  return [...(description ? [description] : []), ...range, ...fallback].join('; ');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
