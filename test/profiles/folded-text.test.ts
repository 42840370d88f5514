import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldedImport } from '../../src/profiles/folded-import.ts';
import { foldedText, writeFolded } from '../../src/profiles/folded-text.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';

type Stack = Readonly<{ comm: string; names: readonly string[]; weight: number }>;

function profileOf(stacks: readonly Stack[]): StackProfile {
  const names = [...new Set(stacks.flatMap((stack) => stack.names))];
  const total = stacks.reduce((sum, { weight }) => sum + weight, 0);
  return {
    event: 'cpu-clock',
    unit: 'samples',
    frames: names.map((name) => ({ name, module: null, kind: 'user' })),
    stacks: stacks.map(({ comm, names: own, weight }) => ({
      frames: own.map((name) => names.indexOf(name)),
      comm,
      pid: null,
      tid: null,
      weight,
      samples: weight,
    })),
    total,
    samples: total,
    period: null,
    duration_ms: null,
    lost: 0,
    warnings: [],
  };
}

const stack = fc.record({
  comm: fc.constantFrom('app', 'my app', 'java', 'a;b'),
  names: fc.array(fc.constantFrom('f', 'g', 'main', 'h(int)', 'ü', 'a->b'), { maxLength: 6 }),
  weight: fc.integer({ min: 0, max: 1000 }),
});

describe('folded text', () => {
  test('holds each stack once, in one order, and the whole weight', () => {
    fc.assert(
      fc.property(fc.array(stack), (stacks) => {
        const text = foldedText(profileOf(stacks));
        const lines = text.split('\n').slice(0, -1);
        const names = lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
        expect(new Set(names).size).toBe(names.length);
        expect(foldedText(profileOf(stacks.toReversed()))).toBe(text);
        const again = foldedImport(text, { first: 'comm' });
        expect(again.total).toBe(profileOf(stacks).total);
        expect(again.warnings).toEqual([]);
      }),
    );
  });

  test('comes in pieces that end with a line', () => {
    const deep = Array.from({ length: 300 }, (_, at) => `function_${at}`);
    const stacks = Array.from({ length: 200 }, (_, at) => ({
      comm: 'app',
      names: [...deep.slice(at), ...deep.slice(0, at)],
      weight: at + 1,
    }));
    const pieces: string[] = [];
    writeFolded(profileOf(stacks), {}, (piece) => pieces.push(new TextDecoder().decode(piece)));
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true);
    const lines = pieces.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(200);
    expect(lines.every((line) => line.split(';').length === 301)).toBe(true);
  });

  test('of no samples is empty', () => {
    expect(foldedText(profileOf([]))).toBe('');
  });
});
