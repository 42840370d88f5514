import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Refused } from '../../allowlist/command.ts';
import { figure, tries } from './budget.ts';
import { outsideGrammar } from './grammar.ts';
import { makers } from './makers.ts';

const names = Object.keys(makers);
const runs = Math.ceil(tries(1_000_000, 30_000) / names.length);
const ends = { commands: 0, refused: 0 };
afterAll(() => {
  figure(
    `${ends.commands + ends.refused} requests to ${names.length} makers of commands: ` +
      `${ends.commands} command lines, none outside the grammar, ${ends.refused} refused, nothing else`,
  );
});

test('every maker of a command is asked', () => {
  const sources = readdirSync('allowlist').map((name) => readFileSync(`allowlist/${name}`, 'utf8'));
  const found = sources.flatMap((source) => [
    ...source.matchAll(/^(?:export function | {2})(\w+)\(.*\): Command \{$/gm),
  ]);
  // What all of them use, and what the helper finds them with: test/helper/requests.test.ts.
  const others = ['approve', 'requestedCommand'];
  const made = found.map((match) => match[1] ?? '').filter((name) => !others.includes(name));
  expect(made.sort()).toEqual([...names].sort());
});

describe('a request gives a command line of the grammar, or is refused', () => {
  test.each(names)(
    '%s',
    (name) => {
      const maker = makers[name];
      if (!maker) throw new Error(name);
      fc.assert(
        fc.property(maker, (make) => {
          try {
            const command = make();
            ends.commands += 1;
            const problem = outsideGrammar(command);
            if (problem !== null) throw new Error(`${problem}: ${JSON.stringify(command.args)}`);
          } catch (error) {
            if (!(error instanceof Refused)) throw error;
            ends.refused += 1;
          }
        }),
        { seed: 7, numRuns: runs, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: false },
      );
    },
    120_000,
  );
});
