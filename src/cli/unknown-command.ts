import { thereIsNo } from '../did-you-mean.ts';
import { TracewrightError } from '../errors.ts';
import { surface } from '../surface.ts';
import { commandTable } from './command-table.ts';

/** What people try first, and the words that do it here. */
const elsewhere: Readonly<Record<string, string>> = {
  top: "read 'stats://aggregated/process?limit=10'",
  ps: "read 'stats://aggregated/process?limit=10'",
  triage: 'call perf_triage',
  flamegraph: 'profile --out flame.svg',
  trace: 'record',
  events: 'watch',
  serve: 'mcp',
  server: 'mcp',
  start: 'mcp',
  version: '--version',
};

/** The error for a first word that is no command, with the command that was likely meant. */
export function unknownCommand(word: string): TracewrightError {
  const names = commandTable.map(({ name }) => name);
  const meant = likely(word);
  return new TracewrightError(
    'INVALID_PARAMS',
    thereIsNo('command', word, meant === null ? names : []),
    meant === null
      ? `Choose from: ${names.join(', ')}. See tracewright --help.`
      : `Try: tracewright ${meant}`,
  );
}

function likely(word: string): string | null {
  if (Object.hasOwn(elsewhere, word)) return elsewhere[word] ?? null;
  if (surface.tools({ readOnly: false }).some(({ name }) => name === word)) return `call ${word}`;
  if (surface.prompts.some(({ name }) => name === word)) return `prompt ${word}`;
  return surface.findResource(word) ? `read '${word}'` : null;
}
