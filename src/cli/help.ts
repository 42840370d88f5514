import { type Command, commandTable, exitCodes } from './command-table.ts';
import { type Option, options } from './options.ts';
import { widthOf } from './terminal.ts';

export const entries: [string, Option][] = Object.entries(options);

/** The whole of `tracewright --help`, in lines of at most `width` characters where words allow it. */
export function help(width = widthOf(process.stdout)): string {
  const commands = commandTable.map((each): Row => [commandUsage(each), each.help]);
  const optionRows = entries.map(
    ([name, option]): Row => [optionUsage(name, option), optionHelp(option)],
  );
  const examples = commandTable.flatMap(({ example }) => (example ? [`  ${example}`] : []));
  return [
    'tracewright: true numbers from the Linux kernel, for people and for AI assistants.',
    '',
    'Usage: tracewright [COMMAND] [OPTIONS]',
    '',
    ...columns(commands, width),
    '',
    'Options',
    ...columns(optionRows, width),
    '',
    'Examples, after the word tracewright',
    ...examples,
    '',
    `Exit codes: ${exitCodes.map(({ code, meaning }) => `${code} ${meaning}`).join('; ')}.`,
    'Errors go to stderr with the fix on the last line.',
    'More on one command or tool: tracewright COMMAND --help, tracewright call TOOL --help.',
  ].join('\n');
}

/** `call TOOL key=value…` */
export const commandUsage = ({ name, usage }: Command): string => `${name} ${usage}`.trimEnd();

/** `--pid N`, `--daemon, -d` */
export function optionUsage(name: string, { short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `${long}, -${short}`;
}

/** What an option does and, where not all commands know it, which do. */
export function optionHelp({ help: text, for: known }: Option): string {
  return known === undefined || known.length === 0 ? text : `${text} (${known.join(', ')})`;
}

export type Row = readonly [string, string];

/** Wider words on the left stand on a line of their own. */
const widest_left = 24;

export function columns(rows: readonly Row[], width: number): string[] {
  const indent = widest_left + 4;
  return rows.flatMap(([left, right]) => {
    const [first = '', ...more] = wrapped(right, Math.max(width - indent, 24));
    const rest = more.map((line) => ' '.repeat(indent) + line);
    return left.length > widest_left
      ? [`  ${left}`, ' '.repeat(indent) + first, ...rest]
      : [`  ${left.padEnd(widest_left)}  ${first}`, ...rest];
  });
}

export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
