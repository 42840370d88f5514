import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseBtfMembers, parseBtfTracepoints } from '../../parsers/btf/btf-members.ts';

const vmlinux = '/sys/kernel/btf/vmlinux';
const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool'].find((path) => existsSync(path));
const cannot = !existsSync(vmlinux) || bpftool === undefined;

/** What bpftool says of the running kernel's types. */
function dump(): string {
  const args = ['btf', 'dump', 'file', vmlinux, 'format', 'raw'];
  return spawnSync(String(bpftool), args, { maxBuffer: 1 << 29 }).stdout.toString();
}

test.skipIf(cannot)('members lie where bpftool says (needs BTF and bpftool)', () => {
  const wanted = { task_struct: ['comm', 'pid', 'exit_code', 'no_such_member'] };
  const found = parseBtfMembers(readFileSync(vmlinux), wanted).get('task_struct');
  const [struct = ''] = /STRUCT 'task_struct' size=\d+ vlen=\d+\n(?:\t.*\n)+/.exec(dump()) ?? [];
  const told = ['comm', 'pid', 'exit_code'].map((name): [string, number] => {
    const bits = new RegExp(`'${name}' .*bits_offset=(\\d+)`).exec(struct)?.[1];
    return [name, Number(bits) / 8];
  });
  expect(new Map(found)).toEqual(new Map(told));
});

test.skipIf(cannot)(
  'tracepoints are those that bpftool lists types of (needs BTF and bpftool)',
  () => {
    const told = [...dump().matchAll(/TYPEDEF 'btf_trace_(\w+)'/g)].map(([, name]) => name);
    expect([...parseBtfTracepoints(readFileSync(vmlinux))].sort()).toEqual(
      [...new Set(told)].sort(),
    );
  },
);
