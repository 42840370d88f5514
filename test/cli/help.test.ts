import { expect, test } from 'vitest';
import { commandTable } from '../../src/cli/command-table.ts';
import { commandNames } from '../../src/cli/commands.ts';
import { help } from '../../src/cli/help.ts';
import { options } from '../../src/cli/options.ts';

const tableNames = commandTable.map(({ name }) => name);

test('every command that runs is in the table that help is written from', () => {
  expect(tableNames).toEqual(expect.arrayContaining(commandNames));
});

test('help names every command and option, and fits a narrow terminal', () => {
  const text = help(80);
  for (const name of tableNames) expect(text).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  for (const name of Object.keys(options))
    expect(text).toMatch(new RegExp(`^ {2}--${name}\\b`, 'm'));
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});

test('an option that one command knows names a command that exists', () => {
  for (const option of Object.values(options)) {
    const known: readonly string[] = 'for' in option ? option.for : [];
    for (const name of known) expect(tableNames).toContain(name);
  }
});
