import { expect, test } from 'vitest';
import { keyValues } from '../../src/cli/arguments.ts';

const schema = {
  functions: { type: 'array' },
  duration_s: { type: 'integer' },
  include_stacks: { type: 'boolean' },
  mode: { type: 'string' },
};

test('a value has the type that the tool asks for', () => {
  const words = ['functions=vfs_read,tcp_sendmsg', 'duration_s=2', 'include_stacks=true', 'mode=3'];
  expect(keyValues(words, schema)).toEqual({
    functions: ['vfs_read', 'tcp_sendmsg'],
    duration_s: 2,
    include_stacks: true,
    mode: '3',
  });
});

test('a list of one needs no comma', () => {
  expect(keyValues(['functions=vfs_read'], schema)).toEqual({ functions: ['vfs_read'] });
});
