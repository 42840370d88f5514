import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { parsers } from './registry.ts';

/** What tracers print: names of programs, files and hosts are in it, and its end may be missing. */
const formats = [
  ...['biolatency', 'runqlat', 'offcpu', 'oncpu', 'syscount', 'exec-events', 'tcplife'],
  ...['fileopen', 'fileslow', 'gethostlatency', 'iolayers'],
  ...['log2-hist', 'syscount-table', 'execsnoop-table', 'gethostlatency-table'],
  ...['offcputime', 'offcputime-folded', 'perf-events', 'perf-trace', 'perf-script'],
];

/** These make names printable themselves; of the others, whoever shows the names does. */
const printable = new Set(['tcplife', 'fileopen', 'fileslow', 'gethostlatency']);

const cases = formats.flatMap((format) =>
  readdirSync(`fixtures/${format}`).map((name) => ({ format, name })),
);

/** What somebody who names a program or a file might put into the name, or a broken pipe leaves. */
const pieces = [
  ...[
    '\u001b[31m',
    '\u0000',
    '\u009b2J',
    '\r',
    '\n',
    '|',
    '"',
    '\\',
    '\\u0000',
    '\ufffd',
    '\u202e',
  ],
  ...['-1', '99999999999999999999999999', '1e400', 'NaN', '0x', ' 0 ', '%', '{', '}}', '[', ']'],
  '\n{"type": "map", "data": {"@from": 1}}\n',
  '{"type": "printf", "data": "began"}',
  '__proto__',
  '{"type": "hist", "data": {"__proto__": [{"min": 1, "max": 0, "count": -5}]}}\n',
];

/** One place is changed: something is put there, or so many characters are taken away. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.constantFrom(0, 0, 1, 7, 300),
  piece: fc.constantFrom('', ...pieces),
});

const changed = (text: string, changes: readonly { at: number; cut: number; piece: string }[]) =>
  changes.reduce((so_far, { at, cut, piece }) => {
    const place = Math.floor(at * so_far.length);
    return so_far.slice(0, place) + piece + so_far.slice(place + cut);
  }, text);

/** Values that no answer may hold, by where they stand. */
function unfit(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path}: ${value}`];
  if (value instanceof Map) {
    return [...value].flatMap(([key, each]) => [...unfit(key, path), ...unfit(each, path)]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...unfit(key, `${path} key`),
    ...unfit(each, `${path}.${key}`),
  ]);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isUnsafe = (text: string): boolean => /[\u0000-\u001f\u007f-\u009f\u202e]/.test(text);

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(texts);
}

describe.each(cases)('fixtures/$format/$name with hostile parts', ({ format, name }) => {
  const input = readFileSync(`fixtures/${format}/${name}/input.txt`, 'utf8').slice(0, 60_000);
  const parse = parsers[format];

  test('gives finite numbers and clean names, or a ParseError', () => {
    if (!parse) throw new Error(`no parser for ${format}`);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        try {
          const result = parse(changed(input, changes));
          expect(unfit(result)).toEqual([]);
          if (printable.has(format)) expect(texts(result).filter(isUnsafe)).toEqual([]);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(Object.prototype).not.toHaveProperty('min');
  });
});
