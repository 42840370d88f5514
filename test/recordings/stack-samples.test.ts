import { expect, test } from 'vitest';
import type { Frame } from '../../src/profiles/stack-profile.ts';
import { stackSamples } from '../../src/recordings/perfetto/stack-samples.ts';
import { at, texts } from './decoded.ts';

const frames: readonly Frame[] = [
  { name: 'main', module: '/usr/bin/prog', kind: 'user' },
  { name: 'work', module: '/usr/bin/prog', kind: 'user' },
  { name: 'vfs_read', module: '[kernel.kallsyms]', kind: 'kernel' },
];
const stacks: readonly (readonly number[])[] = [[0, 1], [0, 2], []];

function packetsOf(order: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const samples = stackSamples({
    event: 'cpu-clock:ppp',
    rate_hz: 99,
    stackOf: (stack) => stacks[stack] ?? [],
    frameOf: (frame) => frames[frame],
    write: (bytes) => pieces.push(bytes),
  });
  for (const [index, stack] of order.entries()) {
    samples.add({ ts: 1000 + index, cpu: 3, pid: 7, tid: 8, stack });
  }
  return pieces;
}

/** Of a sample: cpu, pid, tid, number of the call stack, mode. */
const sampleOf = (piece: Uint8Array | undefined) =>
  [1, 2, 3, 4, 5].map((field) => at(piece ?? new Uint8Array(), 1, 66, field)[0]);

test('a sample says where it was taken, and whether in the kernel', () => {
  const [, user, kernel, empty] = packetsOf([0, 1, 2]);
  expect(sampleOf(user)).toEqual([3, 7, 8, 1, 2]);
  expect(sampleOf(kernel)).toEqual([3, 7, 8, 2, 1]);
  expect(sampleOf(empty)).toEqual([3, 7, 8, 3, 0]);
  expect(at(user ?? new Uint8Array(), 1, 8)).toEqual([1000]);
});

test('a stack, a frame, a name and a file stand in the trace once', () => {
  const pieces = packetsOf([0, 0, 1, 0]);
  const trace = Buffer.concat(pieces);
  expect(texts(trace, 1, 12, 5, 2)).toEqual(['', 'main', 'work', 'vfs_read']);
  expect(texts(trace, 1, 12, 17, 2)).toEqual(['', 'usr', 'bin', 'prog', '[kernel.kallsyms]']);
  expect(at(trace, 1, 12, 7, 1)).toEqual([1, 2]);
  expect(at(trace, 1, 12, 7, 2)).toEqual([1, 2, 1, 3]);
  expect(at(pieces[2] ?? new Uint8Array(), 1, 12)).toEqual([]);
});

test('the sequence begins by saying what was sampled, and that nothing stands before it', () => {
  const [first = new Uint8Array(), next = new Uint8Array()] = packetsOf([0]);
  expect([at(first, 1, 13), at(next, 1, 13)]).toEqual([[1], [2]]);
  expect(at(first, 1, 59, 12, 1, 2)).toEqual([99]);
  expect(at(first, 1, 10)).toEqual(at(next, 1, 10));
});
