import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bpftoolShow } from '../../allowlist/bpftool.ts';
import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { BpftraceProgram, WholeProgram } from '../../allowlist/bpftrace-program.ts';
import type { Command } from '../../allowlist/command.ts';
import { perfRecordEvents } from '../../allowlist/perf-events.ts';
import { perfRecord } from '../../allowlist/perf-record.ts';
import { perfTraceSummary } from '../../allowlist/perf-trace.ts';
import { samplePython } from '../../allowlist/python-samplers.ts';
import { requestedCommand } from '../../allowlist/requests.ts';
import { pythonAt, scaleneVersion } from '../../allowlist/scalene.ts';
import { scriptSubject } from '../../allowlist/script-subject.ts';
import type { PlainFragment } from '../../allowlist/stream-program.ts';
import { traceTool } from '../../allowlist/trace-tool.ts';
import type { PolicyRules } from '../../src/policy/policy.ts';
import { underPolicies } from '../../src/policy/refusals.ts';
import { usersIn } from '../../src/policy/users-in.ts';
import { hostFiles } from '../../src/procfs/host-files.ts';
import { fakeHost } from '../fake-host.ts';

/** Process 7 is alice's, 8 root's, 9 a program of alice's that became root. */
const usersOf = (pid: number): readonly number[] | null =>
  ({ 7: [1000], 8: [0], 9: [1000, 0] })[pid] ?? null;
const admit = (rules: PolicyRules, command: Command): Command =>
  underPolicies([{ path: '/etc/p.json', rules }], command, usersOf);

const record = (
  target: Parameters<typeof perfRecord>[0]['target'],
  freq_hz = 99,
  duration_ms = 10_000,
): Command =>
  perfRecord({
    event: { kind: 'sw', name: 'cpu-clock' },
    user_only: false,
    rate: { freq_hz },
    target,
    callgraph: 'fp',
    output: '/tmp/x/perf.data',
    max_bytes: 1024 * 1024,
    duration_ms,
    private_mounts: false,
  });
const workshop = {
  script: (name: string) => ({
    path: `/x/${name}.bt`,
    text: readFileSync(`scripts/bpftrace/${name}.bt`, 'utf8'),
  }),
  scratch: { write: (name: string) => `/tmp/x/${name}` },
};
const run = (program: BpftraceProgram, parameters: readonly number[]): Command =>
  bpftraceScript({ program, parameters, duration_ms: 5000 }, workshop);
const script = (name: WholeProgram, parameters: readonly number[]): Command =>
  run({ kind: 'whole', name }, parameters);

const stream = (fragments: readonly PlainFragment[], parameters: readonly number[]): Command => {
  const parts = fragments.map((fragment) => ({ fragment }));
  const program = { kind: 'stream', parts, shows_records: true, with_tracer: false } as const;
  return run(program, parameters);
};
const runqlat = (args: Parameters<typeof traceTool>[0]['args']): Command =>
  traceTool({ family: 'libbpf', tool: 'runqlat', args, duration_ms: 1, output_bytes: 1 });

test.each([
  ['perf record of root', record({ scope: 'pid', pid: 8 })],
  ['perf record of what became root', record({ scope: 'pid', pid: 9 })],
  ['perf record of all', record({ scope: 'all' })],
  ['perf record of a CPU', record({ scope: 'cpu', cpu: 0 })],
  ['perf trace of all', perfTraceSummary({ pid: null, duration_ms: 1000, output: '/tmp/x/y' })],
  [
    'perf record of events',
    perfRecordEvents({
      events: ['sched:sched_switch'],
      stacks: false,
      duration_ms: 1000,
      output: '/tmp/x/perf.data',
      max_bytes: 1024 * 1024,
    }),
  ],
  [
    'py-spy on root',
    samplePython({
      sampler: 'py-spy',
      program: pythonAt('/usr/bin/py-spy'),
      pid: 8,
      duration_s: 1,
      rate_hz: 10,
      output: '/tmp/x/y',
    }),
  ],
  ['offcpu of all', script('offcpu', [5000, 0, 1000, 1, 1])],
  ['offcpu of root', script('offcpu', [5000, 8, 1000, 1, 1])],
  ['oncpu of root', script('oncpu', [5000, 99, 8, 1])],
  ['exec events', script('exec-events', [5000])],
  ['a program that the table does not know', script('collection', [7])],
  [
    'execsnoop',
    traceTool({ family: 'bcc', tool: 'execsnoop', args: [], duration_ms: 1, output_bytes: 1 }),
  ],
  ['alerts by thread group, which are told of all', stream(['alert-wakeup'], [1, 0, 7])],
  ['runqlat of process 0, which is all', runqlat([['-p', 0]])],
])('with "users" nothing is recorded of others: %s', (_what, command) => {
  expect(() => admit({ users: [1000] }, command)).toThrow(
    expect.objectContaining({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('/etc/p.json'),
    }),
  );
});

test.each([
  ['perf record of theirs', record({ scope: 'pid', pid: 7 })],
  ['offcpu of theirs', script('offcpu', [5000, 7, 1000, 1, 1])],
  ['fileslow of theirs', script('fileslow', [5000, 10_000, 7, 0])],
  ['alerts of theirs', stream(['alert-wakeup'], [1, 7, 7])],
  ['moves of a thread group of theirs', stream(['sched-migrate'], [1, 0, 7])],
  ['devices', script('biolatency', [5000, 1000, 0, 0, 0])],
  ['a listing', bpftoolShow('prog')],
  ['runqlat of theirs', runqlat([['-p', 7], 5, 1])],
])('with "users" there is still %s', (_what, command) => {
  expect(admit({ users: [1000] }, command)).toBe(command);
});

test('a tool that would take the second of two processes is given none', () => {
  expect(() => runqlat([['-p', 7], ['-p', 8], 5, 1])).toThrow('twice');
});

test('a rate above the limit is refused, one at the limit is not', () => {
  const rules = { max_sample_rate_hz: 99 };
  expect(() => admit(rules, record({ scope: 'all' }, 100))).toThrow(/at most 99 samples/);
  expect(() => admit(rules, script('oncpu', [5000, 199, 0, 0]))).toThrow(/at most 99 samples/);
  expect(admit(rules, record({ scope: 'all' }, 99)).args).toContain('99');
});

test('no clock is sampled by a period, which is a rate that no limit sees', () => {
  const every = { ...record({ scope: 'all' }).request?.parameters, rate: { period: 1 } };
  const ground = { ...workshop, output: () => '/tmp/x/y.data', node: '/n', bundle: '/b' };
  expect(() => requestedCommand('perfRecord', every, ground)).toThrow('period');
});

test('what would watch longer is ended at the limit, with its time to start and to print', () => {
  const rules = { max_duration_seconds: 3 };
  expect(admit(rules, record({ scope: 'all' })).limits.duration_ms).toBe(3000 + 60_000);
  expect(admit(rules, record({ scope: 'all' }, 99, 2000)).limits.duration_ms).toBe(2000 + 60_000);
  const collection = script('collection', []);
  expect(admit(rules, collection).limits.duration_ms).toBe(collection.limits.duration_ms - 2000);
  const listing = bpftoolShow('prog');
  expect(admit(rules, listing)).toMatchObject({ limits: listing.limits });
});

test('functions are probed where the patterns allow them', () => {
  const rules = { kernel_functions: { allow: ['tcp_*', 'vfs_read'], deny: ['tcp_md5*'] } };
  const probing = (...names: string[]) =>
    admit(
      rules,
      run(
        {
          kind: 'functions',
          mode: 'count',
          probes: names.map((name) => ({ name, kind: 'kprobe' })),
        },
        [5000, 0],
      ),
    );
  expect(probing('tcp_sendmsg', 'vfs_read').args).toContain('5000');
  expect(() => probing('tcp_sendmsg', 'vfs_write')).toThrow(/probes on vfs_write/);
  expect(() => probing('tcp_md5_do_add')).toThrow(/probes on tcp_md5_do_add/);
});

test('no program of a user is run where that is forbidden, not even for its version', () => {
  const sandbox = { user: null, cwd: '/', memory_bytes: 1024 ** 3 };
  const command = scaleneVersion(pythonAt('/usr/bin/python3'), sandbox);
  expect(() => admit({ python: false }, command)).toThrow(/programs of users/);
  expect(admit({ python: true }, command).args).toContain('scalene');
});

test('where a program takes a process, the policy looks at that parameter', () => {
  const names = readdirSync('scripts/bpftrace').filter((name) => name.endsWith('.bt'));
  for (const name of names) {
    const usage = /^\/\/ usage:\s+(.*)$/m.exec(readFileSync(`scripts/bpftrace/${name}`, 'utf8'));
    const words = (usage?.[1] ?? '').split(',')[0]?.trim().split(' ').slice(1) ?? [];
    const at = words.indexOf('PID');
    if (at < 0) continue;
    const parameters = words.map((_, index) => (index === at ? 7 : 0));
    const { watches } = scriptSubject(name.replace('.bt', ''), parameters, 5000);
    // It tells of all, and of one of them more.
    expect([name, watches]).toEqual([name, name === 'sched-processes.bt' ? 'all' : { pid: 7 }]);
  }
});

test('the users of a process are all four that the kernel keeps', () => {
  const root = fakeHost({ 'proc/9/status': 'Name:\tsu\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\n' });
  expect(usersIn(hostFiles(root))(9)).toEqual([1000, 0]);
  expect(usersIn(hostFiles(root))(10)).toBeNull();
});

test('whatever records says what it watches', () => {
  const makers = readdirSync('allowlist').flatMap((name) => {
    const text = readFileSync(`allowlist/${name}`, 'utf8');
    return text
      .split('return approve({')
      .slice(1)
      .map((body) => [name, body] as const);
  });
  expect(makers.length).toBeGreaterThan(15);
  const silent = makers.filter(([, body]) => !/\n {4,6}subject: /.test(body.split('\n}')[0] ?? ''));
  // Listings, and what reads or shows a file.
  const listing = [
    'bpftool',
    'dmesg',
    'kernel-lists',
    'open-file',
    'perf-events',
    'perf-list',
    'perf-script',
    'version',
  ];
  expect([...new Set(silent.map(([name]) => name.replace('.ts', '')))].sort()).toEqual(listing);
});
