import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadPattern, namePattern } from '../../src/analysis/name-pattern.ts';

const names = ['sched_switch', 'sched_wakeup', 'sched_wakeup_new', 'xfs:xfs_attr', 'a', '', 'aab'];

describe('namePattern', () => {
  const patterns = [
    'wake',
    'WAKE',
    '^sched_.*_new$',
    'switch|wakeup$',
    'sched_(switch|wakeup)$',
    '(?:wake|sw)[i-u]+',
    '[^a-z_:]',
    '^[]',
    'x*?fs',
    '^(a*)*$',
    '^(a|aa)+b$',
    '(|a)b',
    '\\w+:\\w+',
    '\\W',
    '^$',
    '.',
    's.?h',
    'a\\.b',
    '[\\d_]',
    '[-z]',
  ];
  test.each(patterns)('finds with %j what JavaScript finds', (source) => {
    const expected = names.filter((name) => new RegExp(source, 'i').test(name));
    expect(names.filter(namePattern(source))).toEqual(expected);
  });

  test('agrees with JavaScript on generated patterns and names', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', '^', '$', 'A');
    const piece = fc.tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '|')).map(([a, q]) =>
      // A repeated edge is a syntax that JavaScript refuses in some modes.
      '^$'.includes(a) && q !== '|' ? a : a + q,
    );
    const source = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_'), maxLength: 8 });
    fc.assert(
      fc.property(source, name, (pattern, text) => {
        expect(namePattern(pattern)(text)).toBe(new RegExp(pattern, 'i').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    '(',
    ')',
    'a)',
    '[a',
    '*',
    'a**',
    '(?=a)',
    '(?<n>a)',
    '\\1',
    '\\x41',
    '[z-a]',
    'a{3}',
    'a\\',
    'x'.repeat(129),
  ])('refuses %j', (source) => {
    expect(() => namePattern(source)).toThrow(BadPattern);
  });

  test('any text gives a pattern or a BadPattern', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 140, unit: 'binary' }), (source) => {
        try {
          namePattern(source)('sched_switch');
        } catch (error) {
          expect(error).toBeInstanceOf(BadPattern);
        }
      }),
    );
  });

  test.each(['^(a+)+$', '(a|a)*b', '(.*)*(.*)*(.*)*x', `${'a?'.repeat(60)}b`, '.*'.repeat(60)])(
    '%j, on which backtracking engines hang, is done at once',
    (source) => {
      const fits = namePattern(source);
      const started = performance.now();
      for (let n = 0; n < 100; n++) fits(`${'a'.repeat(60)}!`);
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  test('gives up on a pattern that has too many ways to match', () => {
    const fits = namePattern(`[ab]${'.'.repeat(40)}!`);
    const name = fc.sample(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 900 }), {
      numRuns: 50,
      seed: 1,
    });
    expect(() => name.map(fits)).toThrow(/too many ways/);
  });
});
