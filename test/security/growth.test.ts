import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { parsers } from '../parsers/registry.ts';
import { figure, tries } from './budget.ts';
import { growths, tooFast } from './growth.ts';

const formats = Object.keys(parsers);
const places = tries(2, 1);
let grown = 0;
afterAll(() =>
  figure(
    `${grown} ways to make an output longer, of ${formats.length} formats: twice the text takes at most ` +
      'three times the CPU time',
  ),
);

describe('the time of a parser grows with its input, not with its square', () => {
  test.each(formats)(
    '%s',
    (format) => {
      const recorded = readdirSync(`fixtures/${format}`).filter((name) => !name.includes('synth'));
      const [name = ''] = recorded.length > 0 ? recorded : readdirSync(`fixtures/${format}`);
      const text = readFileSync(`fixtures/${format}/${name}/input.txt`, 'utf8').slice(0, 8000);
      const parse = (longer: string): void => {
        try {
          parsers[format]?.(longer);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      };
      const all = growths(text, [0.6, 0.1].slice(0, places));
      const chosen = all.filter((_, index) => index % tries(1, 4) === 0);
      grown += chosen.length;
      expect(chosen.flatMap((each) => tooFast(parse, each) ?? [])).toEqual([]);
    },
    240_000,
  );
});
