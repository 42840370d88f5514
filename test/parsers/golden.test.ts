import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { parsers } from './registry.ts';

const cases = Object.keys(parsers).flatMap((format) =>
  readdirSync(`fixtures/${format}`).map((name) => ({ format, name })),
);

describe.each(cases)('fixtures/$format/$name', ({ format, name }) => {
  const folder = `fixtures/${format}/${name}`;
  const input = readFileSync(`${folder}/input.txt`, 'utf8');
  const parse = parsers[format];
  if (!parse) throw new Error(`no parser for ${format}`);

  test('says where it was recorded', () => {
    expect(readFileSync(`${folder}/provenance.txt`, 'utf8')).toMatch(
      /^origin: (recorded|synthetic)/,
    );
  });

  test('parses to its golden result', async () => {
    const result = `${JSON.stringify(parse(input), null, 2)}\n`;
    await expect(result).toMatchFileSnapshot(`../../${folder}/expected.json`);
  });

  test('a torn end gives a result or a ParseError, never anything else', () => {
    for (let part = 0; part < 10; part++) {
      const torn = input.slice(0, Math.floor((input.length * part) / 10));
      try {
        parse(torn);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }
  });
});
