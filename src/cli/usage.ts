import { didYouMean } from '../did-you-mean.ts';
import { TracewrightError } from '../errors.ts';
import { commandTable } from './command-table.ts';
import { type Option, options } from './options.ts';

const entries: [string, Option][] = Object.entries(options);
const commandNames = commandTable.map(({ name }) => name);

/** Commands whose words after the name are arguments of what they name. */
const takes_pairs = ['call', 'profile', 'prompt'];

/** What `parseArgs` of Node.js refuses, in our words; null where it is something else. */
export function optionError(thrown: unknown, argv: readonly string[]): TracewrightError | null {
  if (!(thrown instanceof TypeError) || !('code' in thrown)) return null;
  const [, given = ''] = /^Unknown option '(-[^']*)'/.exec(thrown.message) ?? [];
  if (given !== '') return unknownOption(given, argv);
  const [, option = ''] = /^Option '(?:-\w, )?(--[\w-]+)/.exec(thrown.message) ?? [];
  if (option === '') return null;
  return /does not take an argument/.test(thrown.message)
    ? new TracewrightError('INVALID_PARAMS', `${option} takes no value.`, `Write ${option} alone.`)
    : new TracewrightError(
        'INVALID_PARAMS',
        `${option} needs a value, and none follows it.`,
        `Write ${option}=VALUE. See ${helpOf(argv)}`,
      );
}

function unknownOption(given: string, argv: readonly string[]): TracewrightError {
  const names = entries.map(([name]) => `--${name}`);
  const meant = didYouMean(given, names);
  const pair = meant === '' ? pairFor(given, argv) : null;
  return new TracewrightError(
    'INVALID_PARAMS',
    `There is no option ${given.slice(0, 80)}.${meant}`,
    pair === null ? `See ${helpOf(argv)}` : withPair(pair, helpOf(argv)),
  );
}

/** `mode=quick` for `--mode quick` and `--mode=quick` behind a command that takes pairs. */
function pairFor(given: string, argv: readonly string[]): string | null {
  const at = argv.findIndex((word) => word === given || word.startsWith(`${given}=`));
  const name = given.replace(/^--?/, '').replaceAll('-', '_');
  if (!takes_pairs.includes(commandIn(argv) ?? '') || !given.startsWith('--')) return null;
  const [, joined] = /=(.*)$/s.exec(argv[at] ?? '') ?? [];
  const next = argv[at + 1]?.startsWith('-') ? undefined : argv[at + 1];
  return `${name}=${(joined ?? next ?? 'VALUE').slice(0, 80)}`;
}

const commandIn = (argv: readonly string[]): string | undefined =>
  argv.find((word) => commandNames.includes(word));

/** The help of the tool that is called, else of the command, else of all. */
function helpOf(argv: readonly string[]): string {
  const command = commandIn(argv);
  if (command === undefined) return 'tracewright --help';
  const subject = command === 'call' ? argv[argv.indexOf(command) + 1] : undefined;
  const isName = subject !== undefined && /^\w+$/.test(subject);
  return `tracewright ${command}${isName ? ` ${subject}` : ''} --help`;
}

const named = (all: readonly string[]): string =>
  [all.slice(0, -1).join(', '), ...all.slice(-1)].filter((each) => each !== '').join(' and ');

/** Refuses an option that is one of other commands. */
export function refuseOption(command: string, name: string, value: string): void {
  const { for: users = [], type } = Object.fromEntries(entries)[name] ?? {};
  if (!commandNames.includes(command)) return;
  const pair = `${name.replaceAll('-', '_')}=${value.slice(0, 80)}`;
  throw new TracewrightError(
    'INVALID_PARAMS',
    `${command} has no option --${name}; ${named(users)} ${users.length > 1 ? 'have' : 'has'} it.`,
    takes_pairs.includes(command) && type === 'string'
      ? withPair(pair, `tracewright ${command} --help`)
      : `See tracewright ${command} --help`,
  );
}

/** Refuses words that a command does not take. */
export function refuseWords(command: string, words: readonly string[]): void {
  const known = commandTable.find(({ name }) => name === command);
  const [first, ...more] = words;
  if (!known || first === undefined) return;
  if (known.words.length === 0) throw unusedWord(command, first);
  if (command !== 'read' || more.length === 0) return;
  throw new TracewrightError(
    'INVALID_PARAMS',
    'read takes one URI; parameters are part of it.',
    `Try: tracewright read '${first}${first.includes('?') ? '&' : '?'}${more.join('&')}'`,
  );
}

const withPair = (pair: string, help: string): string =>
  `Arguments are words of the form key=value: ${pair}. See ${help}`;

function unusedWord(command: string, word: string): TracewrightError {
  const shown = word.slice(0, 80);
  return new TracewrightError(
    'INVALID_PARAMS',
    `${command} takes no further word: "${shown}".`,
    command === 'tools'
      ? `Try: tracewright call ${shown} --help`
      : `See tracewright ${command} --help`,
  );
}
