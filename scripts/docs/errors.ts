import { exitCodes } from '../../src/cli/command-table.ts';
import { type ErrorCode, errorCodes, TracewrightError } from '../../src/errors.ts';
import { code, generated, table } from './markdown.ts';

/** docs/errors.md: every code, what it means and what to do. */
export function errorsPage(): string {
  const entries = Object.entries(errorCodes);
  return [
    generated,
    '# Errors',
    '',
    'An error is `{success: false, error: {code, message, recoverable, suggestion}}`. The message says what happened,',
    'the suggestion the exact command or change. On a terminal both go to stderr, the suggestion last; with `--json`',
    'the error is JSON on stdout. A tool tells it as a result with `isError`, a resource as an error of the protocol.',
    '',
    table(
      ['Code', 'Meaning', 'What to do', 'Can the same call succeed later', 'Exit code'],
      entries.map(([name, { meaning, remedy }]) => [
        code(name),
        meaning,
        remedy,
        isRecoverable(name) ? 'yes' : 'no',
        name === 'INVALID_PARAMS' ? '2' : '1',
      ]),
    ),
    '',
    '## Exit codes',
    '',
    table(
      ['Code', 'Meaning'],
      exitCodes.map((each) => [each.code, each.meaning]),
    ),
    '',
  ].join('\n');
}

function isRecoverable(name: string): boolean {
  const known = Object.keys(errorCodes).find((each): each is ErrorCode => each === name);
  return known ? new TracewrightError(known, '', '').recoverable : false;
}
