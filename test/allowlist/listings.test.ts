import { describe, expect, test } from 'vitest';
import { bpftoolFeatureProbe, bpftoolShow, bpftoolStructOpsDump } from '../../allowlist/bpftool.ts';
import { Refused } from '../../allowlist/command.ts';
import { perfList } from '../../allowlist/perf-list.ts';
import { bpfStatsHelper } from '../../allowlist/self.ts';

/** Words with which bpftool changes something: none of our commands may hold one. */
const changing =
  /^(?:load|loadall|attach|detach|pin|register|unregister|create|update|delete|run)$/;

test('bpftool only lists', () => {
  const commands = [
    ...(['prog', 'link', 'map', 'struct_ops', 'perf'] as const).map(bpftoolShow),
    bpftoolStructOpsDump(),
    bpftoolFeatureProbe(),
  ];
  for (const { program, args } of commands) {
    expect(program.name).toBe('bpftool');
    expect(args.filter((arg) => changing.test(arg))).toEqual([]);
    // -f would have bpftool mount bpffs.
    expect(args).not.toContain('-f');
  }
});

test('perf lists in a mount namespace of its own', () => {
  const { args, privateMounts } = perfList(['hw', 'sw', 'tracepoint']);
  expect(args).toEqual(['list', '--no-desc', 'hw', 'sw', 'tracepoint']);
  expect(privateMounts).toBe(true);
});

describe('the helper that is a mode of this program', () => {
  const node = '/usr/bin/node';
  const bundle = '/usr/lib/node_modules/tracewright/dist/cli.js';

  test('puts back what it changed when it is stopped, and when we die', () => {
    const command = bpfStatsHelper(node, bundle, 1500);
    expect(command.args).toEqual([bundle, 'internal-bpf-stats', '1500']);
    expect(command.program.candidates).toEqual([node]);
    expect([command.stopSignal, command.parentDeathSignal]).toEqual(['SIGTERM', 'TERM']);
    expect(command.limits.duration_ms).toBeGreaterThan(1500);
  });

  test.each([
    ['node', bundle, 1500],
    [node, 'dist/cli.js', 1500],
    [node, '/usr/lib/../../tmp/cli.js', 1500],
    [node, '--eval', 1500],
    [node, bundle, 0],
    [node, bundle, 1e9],
    [node, bundle, Number.NaN],
  ])('refuses %j %j %j', (...parts) => {
    expect(() => bpfStatsHelper(...parts)).toThrow(Refused);
  });
});
