import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBigJson, u64Growth } from '../../parsers/big-json.ts';
import { ParseError } from '../../parsers/parsed.ts';

describe('parseBigJson', () => {
  test('keeps every digit of integers that a double cannot hold', () => {
    const text = '{"id": 7, "ns": 18446744073709551615, "list": [-9223372036854775808, 1]}';
    expect(parseBigJson(text)).toEqual({
      id: 7,
      ns: '18446744073709551615',
      list: ['-9223372036854775808', 1],
    });
  });

  test('leaves digits inside text alone', () => {
    const value = { comm: 'x": 18446744073709551615, "y', path: '\\"12345678901234567890' };
    expect(parseBigJson(JSON.stringify(value))).toEqual(value);
  });

  test('agrees with JSON.parse wherever that is exact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre((text.match(/\d+/g) ?? []).every((digits) => Number.isSafeInteger(Number(digits))));
        expect(parseBigJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('leaves fractions and exponents alone', () => {
    const value = [0.12345678901234566, 1.7976931348623157e308, 1e21, -5e-324];
    expect(parseBigJson(JSON.stringify(value))).toEqual(value);
  });

  test('refuses what is not JSON', () => {
    expect(() => parseBigJson('[{"id": 1}')).toThrow(ParseError);
    expect(() => parseBigJson('')).toThrow(ParseError);
  });
});

describe('u64Growth', () => {
  test('is exact beyond 2^53', () => {
    expect(u64Growth('9223372036854775000', '9223372036854775807')).toBe(807);
    expect(u64Growth(5, '9007199254740993')).toBe(9_007_199_254_740_988);
  });

  test('of a counter that began anew is unknown', () => {
    expect(u64Growth(10, 3)).toBeNull();
  });
});
