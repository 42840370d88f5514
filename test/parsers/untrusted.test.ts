import { expect, test } from 'vitest';
import { printable, untrusted } from '../../parsers/untrusted.ts';
import { TracewrightError } from '../../src/errors.ts';

const hidden = ['\u001b', '\u0007', '\u007f', '\u009b', '\u061c', '\u200b', '\u2028', '\u202e'];
const unseen = ['\u2060', '\u2066', '\ufeff', '\u{e0041}'];

test.each([...hidden, ...unseen, '\n', '\t', '\r\n'])('%j in a name becomes a blank', (text) => {
  expect(untrusted(`a${text}b`)).toBe('a b');
});

test('text of ours keeps its lines, and nothing else that a terminal obeys', () => {
  expect(printable('a\n\tb\u001b[2J\u202ec')).toBe('a\n\tb [2J c');
});

test('an error repeats what was given without what a terminal obeys', () => {
  const { message, suggestion } = new TracewrightError('NOT_ALLOWED', 'no \u001b[2J', 'try \u202e');
  expect([message, suggestion]).toEqual(['no  [2J', 'try  ']);
});
