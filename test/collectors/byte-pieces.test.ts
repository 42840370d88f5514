import { expect, test } from 'vitest';
import { bytePieces, reusePieces } from '../../src/collectors/byte-pieces.ts';

const large = 300 * 1024;

/** So many bytes of one letter, in parts that do not fit the pieces. */
function piecesOf(letter: string, bytes: number): readonly Buffer[] {
  const pieces = bytePieces();
  for (let left = bytes; left > 0; left -= 1000) {
    pieces.add(Buffer.alloc(Math.min(left, 1000), letter));
  }
  return pieces.all();
}

const textOf = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString();

test('pieces hold what was added, in order', () => {
  const pieces = bytePieces();
  pieces.add(Buffer.from('first '));
  const { piece, used } = pieces.room(7);
  piece.write('second ', used);
  pieces.use(7);
  pieces.add(Buffer.alloc(large, 'x'));
  pieces.add(Buffer.from(' last'));
  expect(textOf(pieces.all())).toBe(`first second ${'x'.repeat(large)} last`);
});

test('the memory of pieces that were given back holds the next ones, of others it does not', () => {
  const first = piecesOf('a', large);
  const second = piecesOf('b', large);
  reusePieces(first);
  const third = piecesOf('c', large);
  expect(third[0]?.buffer).toBe(first.at(-1)?.buffer);
  expect(textOf(second)).toBe('b'.repeat(large));
  expect(textOf(third)).toBe('c'.repeat(large));
  expect(textOf(piecesOf('d', large))).toBe('d'.repeat(large));
  expect(textOf(third)).toBe('c'.repeat(large));
});

test('memory that is not of pieces is not taken', () => {
  const other = Buffer.alloc(100, 'o');
  reusePieces([other, Buffer.from('shared with others')]);
  piecesOf('n', large);
  expect(other.toString()).toBe('o'.repeat(100));
});
