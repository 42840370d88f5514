import { describe, expect, test } from 'vitest';
import { parseBtfFunctions } from '../../parsers/btf/btf.ts';
import { ParseError } from '../../parsers/parsed.ts';

type Type = Readonly<{ name?: string; kind: number; vlen?: number; words?: readonly number[] }>;

const words = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Every kind that follows a function must be stepped over by its own length. */
const types: readonly Type[] = [
  { name: 'first', kind: 12, vlen: 1 },
  { name: 'int', kind: 1, words: words(1) },
  { name: 'pair', kind: 4, vlen: 2, words: words(6) },
  { kind: 3, words: words(3) },
  { name: 'either', kind: 5, vlen: 1, words: words(3) },
  { name: 'colour', kind: 6, vlen: 3, words: words(6) },
  { kind: 13, vlen: 2, words: words(4) },
  { name: 'second', kind: 12, vlen: 0 },
  { name: 'counter', kind: 14, words: words(1) },
  { name: '.data', kind: 15, vlen: 1, words: words(3) },
  { name: 'float', kind: 16 },
  { name: 'tag', kind: 17, words: words(1) },
  { name: 'wide', kind: 19, vlen: 2, words: words(6) },
  { name: 'third', kind: 12, vlen: 2 },
];

function btf(all: readonly Type[], little: boolean): Uint8Array {
  let strings = '\0';
  const body: number[] = [];
  for (const { name = '', kind, vlen = 0, words: after = [] } of all) {
    body.push(name === '' ? 0 : strings.length, kind * 2 ** 24 + vlen, 0, ...after);
    if (name !== '') strings += `${name}\0`;
  }
  const bytes = new Uint8Array(24 + body.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, 1);
  const header = [24, 0, body.length * 4, body.length * 4, strings.length];
  for (const [index, word] of [...header, ...body].entries()) {
    view.setUint32(4 + index * 4, word, little);
  }
  bytes.set(new TextEncoder().encode(strings), 24 + body.length * 4);
  return bytes;
}

describe.each([
  { order: 'little', little: true },
  { order: 'big', little: false },
])('BTF in $order endian', ({ little }) => {
  test('gives the functions and nothing else, in order', () => {
    expect(parseBtfFunctions(btf(types, little))).toEqual(['first', 'second', 'third']);
  });

  test('of a kind that is not known is refused', () => {
    const file = btf([...types, { name: 'new', kind: 31 }], little);
    expect(() => parseBtfFunctions(file)).toThrow('unknown BTF kind 31');
  });

  test('that is cut anywhere is refused', () => {
    const whole = btf(types, little);
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseBtfFunctions(whole.subarray(0, length))).toThrow(ParseError);
    }
  });
});

test('what is not BTF is refused', () => {
  const text = new TextEncoder().encode('#!/bin/sh\necho this is not BTF at all\n');
  expect(() => parseBtfFunctions(text)).toThrow('wrong magic');
});
