import { eventTypes } from '../../parsers/stream/stream.ts';
import { TracewrightError } from '../errors.ts';
import { surface } from '../surface.ts';
import { commandTable } from './command-table.ts';
import { clients } from './config/clients.ts';
import { type Option, options } from './options.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const files = Symbol('files');
/** Words to choose from, or files. */
type Choice = readonly string[] | typeof files;

const optionEntries: [string, Option][] = Object.entries(options);
const all = { readOnly: false } as const;

/** `tracewright completion bash|zsh|fish`: a script for the shell to read when it starts. */
export function completion(shell: string | undefined): string {
  const known = shells.find((each) => each === shell);
  if (known) return scripts[known]();
  throw new TracewrightError(
    'INVALID_PARAMS',
    shell === undefined ? 'Which shell?' : `There is no completion for "${shell.slice(0, 40)}".`,
    `Choose from: ${shells.join(', ')}. For example: source <(tracewright completion bash)`,
  );
}

/** What may follow a command. */
function wordsOf(words: (typeof commandTable)[number]['words']): Choice {
  if (words === 'files') return files;
  if (words === 'clients') return clients.map(({ name }) => name);
  if (words === 'tools') return toolNames();
  if (words === 'prompts') return surface.prompts.map(({ name }) => name);
  if (words === 'uris')
    return surface.resources.map(({ uri }) => uri).filter((uri) => !uri.includes('{'));
  if (words === 'commands') return commandTable.map(({ name }) => name);
  return words === 'shells' ? shells : words;
}

function valuesOf({ offer = [] }: Option): Choice {
  if (offer === 'files' || offer === 'folders') return files;
  if (offer === 'tools') return toolNames();
  if (offer === 'event-types') return eventTypes;
  if (offer === 'toolsets') return [...new Set(surface.tools(all).map(({ toolset }) => toolset))];
  return offer;
}

const toolNames = (): string[] => surface.tools(all).map(({ name }) => name);

const scripts: Readonly<Record<Shell, () => string>> = { bash, zsh, fish };

const optionWords = (): string[] =>
  optionEntries.flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])]);

function bash(): string {
  const names = commandTable.map(({ name }) => name);
  const values = optionEntries
    .filter(([, { type }]) => type === 'string')
    .map(([name, option]) => `    --${name}) ${bashReply(valuesOf(option))}; return ;;`);
  const words = commandTable.map(
    ({ name, words: given }) => `    ${name}) ${bashReply(wordsOf(given))} ;;`,
  );
  return `# bash completion of tracewright: source <(tracewright completion bash)
_tracewright() {
  local cur prev command i
  # A colon divides words for bash; URIs have one.
  if declare -F _get_comp_words_by_ref >/dev/null; then _get_comp_words_by_ref -n : cur prev
  else cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}; fi
  case $prev in
${values.join('\n')}
  esac
  if [[ $cur == -* ]]; then ${bashReply(optionWords())}; return; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} != -* ]] && command=\${COMP_WORDS[i]} && break
  done
  case $command in
    '') ${bashReply(names)} ;;
${words.join('\n')}
  esac
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
complete -o default -F _tracewright tracewright`;
}

const bashReply = (choice: Choice): string =>
  choice === files
    ? 'COMPREPLY=($(compgen -f -- "$cur"))'
    : `COMPREPLY=($(compgen -W '${choice.join(' ')}' -- "$cur"))`;

function zsh(): string {
  const described = commandTable.map(({ name, help }) => `'${name}:${zshText(help)}'`);
  const words = commandTable.map(
    ({ name, words: given }) => `        ${name}) ${zshChoice(wordsOf(given))} ;;`,
  );
  return `#compdef tracewright
# zsh completion of tracewright: source <(tracewright completion zsh)
_tracewright() {
  local -a commands
  commands=(
    ${described.join('\n    ')}
  )
  _arguments -S \\
${optionEntries.map(([name, option]) => `    ${zshOption(name, option)} \\`).join('\n')}
    '1:command:->command' '*::word:->word'
  case $state in
    command) _describe command commands ;;
    word)
      case $words[1] in
${words.join('\n')}
      esac ;;
  esac
}
compdef _tracewright tracewright`;
}

function zshOption(name: string, option: Option): string {
  const repeat = option.multiple ? '*' : '';
  if (option.type === 'boolean') return `'--${name}[${zshText(option.help)}]'`;
  const choice = valuesOf(option);
  const action = choice === files ? '_files' : `(${choice.join(' ')})`;
  return `'${repeat}--${name}=[${zshText(option.help)}]:${option.value}:${action}'`;
}

const zshChoice = (choice: Choice): string =>
  choice === files ? '_files' : `compadd -- ${choice.map((word) => `'${word}'`).join(' ')}`;

const zshText = (text: string): string => text.replaceAll(/['[\]:]/g, ' ');

function fish(): string {
  const names = commandTable.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  return [
    '# fish completion of tracewright: tracewright completion fish | source',
    'complete -c tracewright -f',
    ...commandTable.map(
      ({ name, help }) => `complete -c tracewright -n '${none}' -a ${name} -d '${fishText(help)}'`,
    ),
    ...commandTable.flatMap(({ name, words }) => {
      const choice = wordsOf(words);
      const seen = `complete -c tracewright -n '__fish_seen_subcommand_from ${name}'`;
      if (choice === files) return [`${seen} -F`];
      return choice.length === 0 ? [] : [`${seen} -a '${choice.join(' ')}'`];
    }),
    ...optionEntries.map(([name, option]) => {
      const short = option.short ? ` -s ${option.short}` : '';
      return `complete -c tracewright -l ${name}${short}${fishValue(option)} -d '${fishText(option.help)}'`;
    }),
  ].join('\n');
}

function fishValue(option: Option): string {
  if (option.type === 'boolean') return '';
  const choice = valuesOf(option);
  return choice === files ? ' -r -F' : ` -x -a '${choice.join(' ')}'`;
}

const fishText = (text: string): string => text.replaceAll("'", String.raw`\'`);
