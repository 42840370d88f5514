import { expect, test } from 'vitest';
import { perfRecordEvents, perfScriptEvents } from '../../allowlist/perf-events.ts';
import { perfTraceSummary } from '../../allowlist/perf-trace.ts';
import { bccTool, libbpfTool, traceTools } from '../../allowlist/programs.ts';
import { traceTool } from '../../allowlist/trace-tool.ts';

const limits = { duration_ms: 1000, output_bytes: 1000 };

test('options of the grammar and whole numbers pass, in their order', () => {
  const args = ['-P', ['-p', 7] as const, 5, 1];
  expect(traceTool({ family: 'libbpf', tool: 'runqlat', args, ...limits }).args).toEqual([
    ...['-P', '-p', '7', '5', '1'],
  ]);
});

test.each([
  ['an option that is not in the grammar', '-c'],
  ['an option of another tool', '-L'],
  ['an option that takes a number, alone', '-p'],
  ['text', '/etc/passwd'],
  ['a number as text', '5'],
  ['an option with a number that it does not take', ['-P', 5]],
  ['a negative number', -1],
  ['half a number', 0.5],
  ['no number', Number.NaN],
  ['a number behind an unknown option', ['--cgroup', 5]],
] as const)('%s is refused', (_what, arg) => {
  expect(() => traceTool({ family: 'libbpf', tool: 'runqlat', args: [arg], ...limits })).toThrow();
});

test('the two families are told apart by name and lie at absolute paths', () => {
  const programs = traceTools.flatMap((tool) => [libbpfTool(tool), bccTool(tool)]);
  expect(new Set(programs.map(({ name }) => name)).size).toBe(programs.length);
  for (const { candidates } of programs) {
    expect(candidates.every((path) => path.startsWith('/usr/'))).toBe(true);
  }
  expect(bccTool('runqlat').candidates).toEqual([
    '/usr/sbin/runqlat-bpfcc',
    '/usr/share/bcc/tools/runqlat',
  ]);
});

test('perf records only events of its list, into a file of ours', () => {
  const recording = { stacks: false, duration_ms: 1000, max_bytes: 1024 * 1024 };
  const events = ['sched:sched_switch'] as const;
  const command = perfRecordEvents({ ...recording, events, output: '/tmp/x.data' });
  expect(command.args.slice(-2)).toEqual(['-o', '/tmp/x.data']);
  expect(command.args).toContain('sched:sched_switch');
  expect(() => perfRecordEvents({ ...recording, events, output: '/tmp/../etc/x' })).toThrow();
  const other = ['syscalls:sys_enter_read'] as unknown as typeof events;
  expect(() => perfRecordEvents({ ...recording, events: other, output: '/tmp/x' })).toThrow();
});

test('perf script and perf trace take nothing but paths of ours and numbers', () => {
  expect(perfScriptEvents('/tmp/x.data', true).args.at(-1)).toMatch(/^trace:[a-z,]+$/);
  const summary = { pid: 7, duration_ms: 1000, output: '/tmp/x.txt' };
  expect(perfTraceSummary(summary).args).toEqual(['trace', '-s', '-p', '7', '-o', '/tmp/x.txt']);
  expect(() => perfTraceSummary({ ...summary, pid: -1 })).toThrow();
  expect(() => perfTraceSummary({ ...summary, output: 'relative' })).toThrow();
});
