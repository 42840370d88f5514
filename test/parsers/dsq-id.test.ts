import { expect, test } from 'vitest';
import { dsqId } from '../../parsers/dsq/dsq-id.ts';

test.each([
  ['7', '0x7', 'user'],
  ['-9223372036854775807', '0x8000000000000001', 'GLOBAL'],
  ['-9223372036854775806', '0x8000000000000002', 'LOCAL'],
  ['-9223372036854775805', '0x8000000000000003', 'BYPASS'],
  ['-9223372036854775808', '0x8000000000000000', 'INVALID'],
  ['-4611686018427387901', '0xc000000000000003', 'LOCAL_ON:3'],
  ['4611686018427387904', '0x4000000000000000', 'user'],
])('the queue that bpftrace prints as %s is %s, %s', (printed, id, label) => {
  expect(dsqId(printed)).toEqual({ id, label, user: label === 'user' });
});
