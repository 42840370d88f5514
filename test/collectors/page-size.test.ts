import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pageBytes } from '../../src/collectors/page-size.ts';
import { fakeHost, scriptedContext } from '../fake-host.ts';

/** Pairs of 64 bits: AT_HWCAP, AT_PAGESZ, AT_NULL. */
const auxv = (page_bytes: bigint): Uint8Array =>
  new Uint8Array(new BigUint64Array([16n, 0x1234n, 6n, page_bytes, 0n, 0n]).buffer);

const on = (arch: string, vector?: Uint8Array) => {
  const root = fakeHost({ 'proc/self/stat': '' });
  if (vector) writeFileSync(join(root, 'proc/self/auxv'), vector);
  return pageBytes(scriptedContext(root, [], { arch }));
};

test('pages have the size that the kernel tells this process', () => {
  expect(on('arm64', auxv(65_536n))).toBe(65_536);
  expect(on('arm64', auxv(16_384n))).toBe(16_384);
});

test('x86 has one size; elsewhere none is taken for granted', () => {
  expect(on('x64')).toBe(4096);
  expect(on('arm64')).toBeNull();
  expect(on('arm64', auxv(65_536n).subarray(0, 20))).toBeNull();
});
