import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { refusedFunction } from '../../allowlist/function-names.ts';
import {
  type FunctionMode,
  type FunctionProbe,
  functionProgram,
} from '../../allowlist/function-program.ts';

const modes: readonly FunctionMode[] = ['count', 'latency', 'stacks'];
const shipped = (mode: FunctionMode) =>
  readFileSync(`scripts/bpftrace/function-${mode}.bt`, 'utf8');
const program = (mode: FunctionMode, ...probes: readonly FunctionProbe[]) =>
  functionProgram(shipped(mode), mode, probes);
const lines = (text: string, pattern: RegExp) =>
  text.split('\n').filter((line) => pattern.test(line));

test.each(modes)('the example of function-%s.bt is what is shipped', (mode) => {
  expect(program(mode, { name: 'vfs_read', kind: 'kprobe' })).toBe(shipped(mode));
});

test('each function has its probes and its number, and nothing else differs', () => {
  const text = program(
    'latency',
    { name: 'tcp_sendmsg', kind: 'fentry' },
    { name: 'foo.isra.0', kind: 'kprobe' },
  );
  expect(lines(text, /^(?:fentry|fexit|kprobe|kretprobe):/)).toEqual([
    'fentry:vmlinux:tcp_sendmsg',
    'fexit:vmlinux:tcp_sendmsg',
    'kprobe:foo.isra.0',
    'kretprobe:foo.isra.0',
  ]);
  expect(lines(text, /@calls\[/)).toEqual(['  @calls[0] = count();', '  @calls[1] = count();']);
  expect(lines(text, /delete\(@entered/)).toEqual([
    '  delete(@entered[0, curtask]);',
    '  delete(@entered[1, curtask]);',
  ]);
  expect(text).not.toContain('vfs_read\n');
  const clock = shipped('latency').slice(shipped('latency').indexOf('interval:ms:10'));
  expect(text.endsWith(clock)).toBe(true);
});

test('bpftrace before 0.21 is told kfunc', () => {
  const text = program('latency', { name: 'tcp_sendmsg', kind: 'kfunc' });
  expect(lines(text, /^k(?:ret)?func:/)).toEqual(['kfunc:tcp_sendmsg', 'kretfunc:tcp_sendmsg']);
});

describe('refused', () => {
  test.each([
    'a b',
    'a;b',
    'a{system("id")}',
    'a\n',
    'a,kprobe:b',
    'vfs_read / 1 /',
    '-a',
    '1a',
    '',
    'a*',
    'a'.repeat(129),
  ])('%j is no name of a function', (name) => {
    expect(() => program('count', { name, kind: 'kprobe' })).toThrow();
  });

  test('none, and more than ten', () => {
    const many = Array.from({ length: 11 }, (_, index) => ({
      name: `tcp_${index}`,
      kind: 'kprobe' as const,
    }));
    expect(() => program('count')).toThrow(/1 to 10/);
    expect(() => program('count', ...many)).toThrow(/1 to 10/);
    expect(() => program('count', ...many.slice(1))).not.toThrow();
  });

  test.each([
    ['_raw_spin_lock_irqsave', /lock/],
    ['queued_spin_lock_slowpath', /lock/],
    ['native_queued_spin_lock_slowpath', /lock/],
    ['__rcu_read_lock', /probe/],
    ['migrate_disable', /probe/],
    ['nmi_handle', /interrupts/],
    ['perf_event_nmi_handler', /interrupts/],
    ['asm_exc_page_fault', /into or out of/],
    ['bpf_map_update_elem', /tracing/],
    ['__htab_map_lookup_elem', /tracing/],
    ['kprobe_ftrace_handler', /tracing/],
    ['ktime_get', /clock/],
    ['sched_clock_cpu', /clock/],
    ['unwind_next_frame', /stacks/],
    ['memcpy', /every other/],
    ['_copy_from_user', /every other/],
  ])('%s, with the reason', (name, reason) => {
    expect(refusedFunction(name, false)).toMatch(reason);
    expect(() => program('count', { name, kind: 'fentry' })).toThrow(reason);
  });

  test('what never returns, where its return is needed', () => {
    expect(() => program('latency', { name: 'do_exit', kind: 'fentry' })).toThrow(/not return/);
    expect(() => program('count', { name: 'do_exit', kind: 'fentry' })).not.toThrow();
  });
});

test.each([
  'tcp_sendmsg',
  'vfs_read',
  'schedule',
  'mutex_lock',
  'ext4_file_open',
  'do_sys_openat2',
  'hrtimer_nanosleep',
  'scx_bpf_dsq_insert',
  'blk_mq_submit_bio',
  'handle_mm_fault',
])('%s may be traced', (name) => {
  expect(refusedFunction(name, true)).toBeNull();
});
