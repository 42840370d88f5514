import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Diagnosis, degradedHosts, mayMount } from './degraded-hosts.ts';

const hasBtf = existsSync('/sys/kernel/btf/vmlinux');
const hasSchedExt = existsSync('/sys/kernel/sched_ext');
const hasApt = existsSync('/usr/bin/apt-cache') && !existsSync('/usr/bin/dnf');

/** They load a program into the kernel, or show what such a program counts. */
const tracing = ['enable_collection', 'record_trace', 'perf_runq_latency', 'perf_tcp_trace'];
const untraced = ['query_stats', 'get_topology', 'perf_info', 'perf_use_check', 'perf_io_latency'];

const checks = ({ resources, tools }: Diagnosis) => [...resources, ...tools];
const faulty = (diagnosis: Diagnosis) =>
  checks(diagnosis).filter(({ state }) => state !== 'available');
const stateOf = (diagnosis: Diagnosis, name: string) =>
  checks(diagnosis).find((each) => each.name === name)?.state;

/** Tools that are not available for this reason. */
const closedBy = (diagnosis: Diagnosis, reason: RegExp) =>
  diagnosis.tools
    .filter(({ state }) => state !== 'available')
    .filter(({ problems }) => problems.some((problem) => reason.test(problem.reason)))
    .map(({ name }) => name);

/** A command, or the option with which something outside of this host is to be started. */
const exact = /^(?:sudo|tracewright) \S|^Start the container with --|^Boot with(?:out)? \S+=/;
/** Numbers of errors and values of programs are for those who wrote them. */
const unclear = /\bE[A-Z]{4,}\b|\berrno\b|\bundefined\b|\[object|\bat \S+\.ts\b/;

function expectExplained(diagnosis: Diagnosis) {
  for (const { name, problems } of faulty(diagnosis)) {
    expect(problems, name).not.toEqual([]);
    for (const { reason, fix } of problems) {
      expect(reason, name).toMatch(/^\S+(?: \S+){3,}\.$/);
      expect(reason, name).not.toMatch(unclear);
      if (fix !== null) expect(fix, name).toMatch(exact);
    }
  }
  for (const [name, { value, reason }] of Object.entries(diagnosis.kernel)) {
    if (value === null && name !== 'container' && name !== 'virtualisation') {
      expect(reason, name).not.toBeNull();
    }
  }
  for (const name of untraced) expect(stateOf(diagnosis, name), name).toBe('available');
}

describe.skipIf(!mayMount)('doctor (needs root, bpftrace and mount namespaces)', () => {
  let hosts: ReturnType<typeof degradedHosts>;
  let root: Diagnosis;
  let nobody: Diagnosis;
  let noBpftrace: Diagnosis;
  let noBtf: Diagnosis;
  let container: Diagnosis;

  beforeAll(async () => {
    hosts = degradedHosts();
    [root, nobody, noBpftrace, noBtf, container] = await Promise.all([
      hosts.asRoot(),
      hosts.asNobody(),
      hosts.withoutBpftrace(),
      hosts.withoutBtf(),
      hosts.inContainer(),
    ]);
  }, 60_000);
  afterAll(() => hosts.remove());

  test('explains whatever is not available, with exact commands', () => {
    for (const each of [root, nobody, noBpftrace, noBtf, container]) expectExplained(each);
  });

  test('says of the same tools that they trace, whatever keeps them from it', () => {
    const closed = closedBy(noBpftrace, /^bpftrace is not installed/);
    expect(closed).toEqual(expect.arrayContaining(tracing));
    expect(closedBy(nobody, /^Only root may (?:load BPF programs|trace)/)).toEqual(closed);
    expect(closedBy(container, /^This root user has neither CAP_SYS_ADMIN/)).toEqual(closed);
  });

  describe('as a user', () => {
    test('names root and the helper, which change what is missing', () => {
      const fixes = nobody.rights.problems.map(({ fix }) => fix);
      expect(fixes).toContain('tracewright setup sudo');
      const forRoot = faulty(nobody).filter(({ problems }) =>
        problems.some(({ fix }) => fix === 'sudo tracewright mcp'),
      );
      expect(forRoot.map(({ name }) => name)).toEqual(expect.arrayContaining(tracing));
      for (const { name } of forRoot.filter((each) => each.name !== 'trace_kernel_functions')) {
        expect(stateOf(root, name), name).toBe('available');
      }
    });

    test('profiles of the whole machine are what is missing of profiles', () => {
      const [problem] =
        nobody.tools.find(({ name }) => name === 'perf_cpu_profile')?.problems ?? [];
      const free = nobody.kernel['perf_event_paranoid']?.reason === null;
      expect(problem?.what).toBe(
        free ? undefined : 'profiles of the whole machine and of the kernel',
      );
      // It is of the whole host, so it is not run here.
      if (!free) expect(problem?.fix).toBe('sudo sysctl kernel.perf_event_paranoid=0');
    });

    test('the command beside the BPF programs lists them', async () => {
      const check = nobody.resources.find(({ name }) => name === 'bpf://programs');
      const fix = check?.problems.map((each) => each.fix).find((each) => each !== null);
      expect(fix).toBe('sudo tracewright read bpf://programs');
      expect(await hosts.run(fix ?? '')).not.toContain('cannot be listed');
    });
  });

  describe('without bpftrace', () => {
    test('leaves alone what perf and /proc tell', () => {
      expect(stateOf(noBpftrace, 'perf_cpu_profile')).toBe(stateOf(root, 'perf_cpu_profile'));
      expect(stateOf(noBpftrace, 'stats://aggregated/cpu')).toBe(
        stateOf(root, 'stats://aggregated/cpu'),
      );
    });

    test.skipIf(!hasApt)('names a package that there is (needs apt)', () => {
      const { fix } = noBpftrace.programs.find(({ name }) => name === 'bpftrace') ?? {};
      const name = /^sudo apt-get install (\S+)$/.exec(fix ?? '')?.[1] ?? '';
      const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' });
      expect(stdout).toMatch(/Candidate: \d/);
    });
  });

  test.skipIf(!hasBtf)('without BTF closes what needs types, and nothing else (needs BTF)', () => {
    const needing = ['perf_exec_trace', 'perf_tcp_trace', 'perf_vfs_latency', 'perf_io_layers'];
    const closed = closedBy(noBtf, /does not describe its types \(BTF\)/);
    expect(closed).toEqual(expect.arrayContaining(needing));
    for (const name of ['perf_runq_latency', 'enable_collection', 'record_trace']) {
      expect(stateOf(noBtf, name), name).toBe('available');
    }
    expect(closedBy(root, /BTF/)).toEqual([]);
  });

  describe('in a container', () => {
    test('sees that it is in one', () => {
      expect(container.kernel['container']?.value).not.toBeNull();
    });

    test('the capability that it names opens what was closed', async () => {
      const fixes = new Set(
        faulty(container).flatMap(({ problems }) => problems.map(({ fix }) => fix)),
      );
      expect(fixes).toContain('Start the container with --privileged, or --cap-add SYS_ADMIN.');
      const opened = await hosts.inContainer('sys_admin');
      expect(closedBy(opened, /CAP_|not permitted/)).toEqual([]);
      expect(stateOf(opened, 'bpf://programs')).toBe('available');
      for (const name of tracing) expect(stateOf(opened, name), name).toBe('available');
    });

    test('the capabilities of perf open profiles, and no tracer', async () => {
      const [problem] =
        container.tools.find(({ name }) => name === 'perf_cpu_profile')?.problems ?? [];
      const paranoid = Number(container.kernel['perf_event_paranoid']?.value);
      if (paranoid > 0) expect(problem?.fix).toContain('--cap-add PERFMON --cap-add SYSLOG');
      const opened = await hosts.inContainer('cap_38', 'syslog');
      expect(stateOf(opened, 'perf_cpu_profile')).toBe('available');
      expect(stateOf(opened, 'record_trace')).toBe('unavailable');
    });
  });

  test.skipIf(hasSchedExt)('without sched_ext says so of its three resources alone', () => {
    const ofSchedExt = ['stats://scheduler/raw', 'stats://scheduler/scx', 'stats://aggregated/dsq'];
    const closed = faulty(root).filter(({ state, problems }) =>
      problems.some(({ reason }) => state === 'unavailable' && /SCHED_CLASS_EXT/.test(reason)),
    );
    expect(closed.map(({ name }) => name).sort()).toEqual(ofSchedExt.sort());
    expect(closed.flatMap(({ problems }) => problems.map(({ fix }) => fix))).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('a mount that it prints mounts what was missing', async ({ skip }) => {
    const { value, fix } = root.kernel['tracefs'] ?? {};
    if (value !== null || !fix) return skip('tracefs is mounted here');
    const mounted = await hosts.after(fix);
    expect(mounted.kernel['tracefs']).toMatchObject({ value: '/sys/kernel/tracing', fix: null });
  });
});
