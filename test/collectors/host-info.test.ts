import { symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Program } from '../../allowlist/command.ts';
import { collectHostInfo } from '../../src/collectors/host-info.ts';
import type { Context } from '../../src/context.ts';
import { fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';

const all_capabilities = '000001ffffffffff';

const host: HostFilesNow = {
  'proc/stat': 'cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\nbtime 1700000000\n',
  'proc/uptime': '3600.12 7000.00\n',
  'proc/sys/kernel/osrelease': '6.1.0-13-amd64\n',
  'proc/sys/kernel/perf_event_paranoid': '3\n',
  'proc/cpuinfo': 'processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nflags\t: fpu\n',
  'proc/meminfo': 'MemTotal: 1000 kB\nHugePages_Total: 0\n',
  'proc/self/status': `Pid:\t1\nCapEff:\t${all_capabilities}\n`,
  'proc/self/uid_map': '         0          0 4294967295\n',
  'proc/self/mountinfo': '37 28 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  'proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  'proc/2/comm': 'kthreadd\n',
  'proc/1/comm': 'init\n',
  'sys/devices/system/cpu/online': '0-1\n',
  'sys/kernel/mm/transparent_hugepage/enabled': 'always madvise [never]\n',
};

/** A host on which these programs lie, by the last part of their path. */
function info(
  changes: HostFilesNow = {},
  present: readonly string[] = [],
  parts: Partial<Context> = {},
) {
  const find: Context['find'] = (program: Program) => {
    const path = program.candidates.find((each) => present.includes(each.split('/').at(-1) ?? ''));
    return path === undefined ? { problem: 'missing', path: null } : { path };
  };
  const root = fakeHost({ ...host, ...changes });
  const programs = fakePrograms((words) => `${words} v6.1.2\n`);
  return collectHostInfo(scriptedContext(root, [], { find, ...programs, arch: 'arm64', ...parts }));
}

test('the system is named with its uptime and the time it booted', async () => {
  const { data } = await info();
  expect(data.system).toMatchObject({
    kernel: '6.1.0-13-amd64',
    arch: 'arm64',
    uptime_seconds: 3600,
    boot_time: '2023-11-14T22:13:20.000Z',
  });
});

test('memory that nobody could read is not called 0', async () => {
  const { summary, unavailable } = await info({ 'proc/meminfo': null });
  expect(summary.join('\n')).toContain('an unknown amount of memory');
  expect(unavailable?.map(({ what }) => what)).toContain(
    'memory.total_bytes, memory.swap_total_bytes',
  );
});

test('cores are those of all sockets', async () => {
  const topology = Object.fromEntries(
    [0, 1, 2, 3].flatMap((cpu) => [
      [`sys/devices/system/cpu/cpu${cpu}/topology/physical_package_id`, `${cpu >> 1}\n`],
      [`sys/devices/system/cpu/cpu${cpu}/topology/core_id`, `${cpu & 1}\n`],
      [`sys/devices/system/cpu/cpu${cpu}/topology/core_cpus_list`, `${cpu}\n`],
      [`sys/devices/system/cpu/cpu${cpu}/topology/package_cpus_list`, cpu < 2 ? '0-1\n' : '2-3\n'],
    ]),
  );
  const { data, summary } = await info({ ...topology, 'sys/devices/system/cpu/online': '0-3\n' });
  expect(data.cpu).toMatchObject({
    model: 'Some CPU @ 2.0GHz',
    sockets: 2,
    cores: 4,
    threads: 4,
    numa_nodes: 1,
  });
  expect(summary.join()).toContain('2 sockets, 4 cores, 4 CPUs, 1 NUMA node.');
});

test('governors that differ are all named', async () => {
  const cpufreq = 'sys/devices/system/cpu/cpufreq';
  const { data } = await info({
    [`${cpufreq}/policy0/scaling_governor`]: 'performance\n',
    [`${cpufreq}/policy1/scaling_governor`]: 'powersave\n',
    [`${cpufreq}/policy2/scaling_governor`]: 'performance\n',
  });
  expect(data.cpu.scaling_governor).toBe('performance+powersave');
});

describe('memory', () => {
  test('has huge pages where some are reserved, of whatever size', async () => {
    const none = await info();
    expect(none.data.memory).toMatchObject({
      total_bytes: 1_024_000,
      huge_pages_enabled: false,
      thp_enabled: false,
      thp_mode: 'never',
    });
    const some = await info({
      'sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '0\n',
      'sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages': '4\n',
      'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
    });
    expect(some.data.memory).toMatchObject({
      huge_pages_enabled: true,
      huge_pages_reserved: 4,
      thp_enabled: true,
    });
  });
});

describe('what is permitted', () => {
  const permitted = async (changes: HostFilesNow) => {
    const { perf_permitted, bpf_permitted, perf_scope } = (await info(changes)).data.capabilities;
    return { perf_permitted, bpf_permitted, perf_scope };
  };
  const status = (capabilities: string): HostFilesNow => ({
    'proc/self/status': `Pid:\t1\nCapEff:\t${capabilities}\n`,
  });
  const helper = { route: () => 'sudo' as const, problem: () => null };
  const paranoid = (level: number): HostFilesNow => ({
    'proc/sys/kernel/perf_event_paranoid': `${level}\n`,
  });

  test('follows from capabilities, not from the user id', async () => {
    expect(await permitted({})).toMatchObject({ perf_permitted: true, bpf_permitted: true });
    expect(await permitted(status('0000000000000000'))).toEqual({
      perf_permitted: false,
      bpf_permitted: false,
      perf_scope: 'nothing',
    });
  });

  test('of perf alone is CAP_PERFMON; BPF takes CAP_BPF as well', async () => {
    expect(await permitted(status('0000004000000000'))).toMatchObject({
      perf_permitted: true,
      bpf_permitted: false,
    });
    expect(await permitted(status('000000c000000000'))).toMatchObject({ bpf_permitted: true });
  });

  test.each([
    [2, 'own processes', false],
    [1, 'own processes, kernel too', false],
    [0, 'whole machine', true],
    [-1, 'whole machine', true],
  ])('to anybody at perf_event_paranoid %d is: %s', async (level, perf_scope, perf_permitted) => {
    const open = { ...status('0000000000000000'), ...paranoid(level) };
    expect(await permitted(open)).toMatchObject({ perf_scope, perf_permitted });
  });

  test('to root of another user namespace is what it is to anybody', async () => {
    const inside = { 'proc/self/uid_map': '         0     100000      65536\n' };
    expect(await permitted(inside)).toMatchObject({ perf_permitted: false, bpf_permitted: false });
  });

  test('to a user with a helper is what that may do, and only to one', async () => {
    const user = { ...status('0000000000000000'), ...paranoid(2) };
    const gaps = (told: Awaited<ReturnType<typeof info>>) =>
      told.unavailable?.filter(({ what }) => what === 'perf_event_paranoid').length;
    const helped = await info(user, [], { helper });
    expect(helped.data.capabilities).toMatchObject({ perf_permitted: true, bpf_permitted: true });
    expect(gaps(helped)).toBe(0);
    const alone = await info(user);
    expect(alone.data.capabilities).toMatchObject({ perf_permitted: false, bpf_permitted: false });
    expect(gaps(alone)).toBe(1);
  });

  test.each([
    ['in another user namespace', { 'proc/self/uid_map': '         0     100000      65536\n' }],
    ['under lockdown', { 'sys/kernel/security/lockdown': 'none integrity [confidentiality]\n' }],
  ])('is nothing of the kernel %s with a helper, either', async (_where, files) => {
    const user = { ...status('0000000000000000'), ...paranoid(2), ...files };
    const { data } = await info(user, [], { helper });
    expect(data.capabilities).toMatchObject({ perf_permitted: false, bpf_permitted: false });
  });

  test('is nothing of the kernel under lockdown', async () => {
    const locked = { 'sys/kernel/security/lockdown': 'none integrity [confidentiality]\n' };
    expect(await permitted(locked)).toMatchObject({ perf_permitted: false, bpf_permitted: false });
  });
});

describe('what it runs in', () => {
  const runsIn = async (changes: HostFilesNow) => (await info(changes)).data.virtualization;
  const vendor = (name: string): HostFilesNow => ({
    'sys/class/dmi/id/sys_vendor': `${name}\n`,
    'proc/cpuinfo': 'processor\t: 0\nflags\t: fpu hypervisor\n',
  });

  test.each([
    ['QEMU', 'kvm'],
    ['VMware, Inc.', 'vmware'],
    ['Microsoft Corporation', 'hyperv'],
    ['Acme', 'unknown'],
  ])('a machine of %s is %s', async (name, type) => {
    expect(await runsIn(vendor(name))).toMatchObject({ type, container: false });
  });

  test('a hypervisor that hides its name shows its clock', async () => {
    const clock = 'sys/devices/system/clocksource/clocksource0/available_clocksource';
    expect(await runsIn({ ...vendor(''), [clock]: 'tsc kvm-clock \n' })).toMatchObject({
      type: 'kvm',
    });
  });

  test('is bare metal without a hypervisor', async () => {
    expect(await runsIn({})).toMatchObject({ type: 'none', container: false, cgroup_version: 2 });
  });

  test.each([
    ['docker', 'docker'],
    ['podman', 'podman'],
    ['lxc', 'lxc'],
    ['systemd-nspawn', 'unknown'],
  ])('a container of %s is %s', async (name, type) => {
    const inside = { ...vendor('QEMU'), 'run/systemd/container': `${name}\n` };
    expect(await runsIn(inside)).toMatchObject({ type, container: true, container_hint: name });
  });

  test('has the limits of the group that it is in', async () => {
    const files = {
      ...host,
      'proc/self/cgroup': '0::/box\n',
      'sys/fs/cgroup/box/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/box/memory.max': '1048576\n',
    };
    // On a real host /proc/self is a link to the folder of our pid.
    const moved = Object.entries(files).map(([path, text]) => [
      path.replace('proc/self/', 'proc/33/'),
      text,
    ]);
    const root = fakeHost(Object.fromEntries(moved));
    symlinkSync('33', `${root}/proc/self`);
    const find: Context['find'] = () => ({ problem: 'missing', path: null });
    const { data } = await collectHostInfo(scriptedContext(root, [], { find }));
    expect(data.limits).toEqual({ cpu_cores: 1.5, memory_bytes: 1_048_576 });
  });
});

describe('programs', () => {
  test('are found under the names of each collection', async () => {
    const { data } = await info({}, ['bpftrace', 'runqlat-bpfcc', 'execsnoop', 'perf']);
    expect(data.ebpf).toMatchObject({
      bcc_installed: true,
      libbpf_tools_installed: true,
      bcc_tools_available: 2,
      bcc_tools_total: 15,
    });
    expect([...data.ebpf.available_tools].sort()).toEqual(['execsnoop', 'runqlat']);
    expect(data.capabilities).toMatchObject({ perf_available: true, bpf_available: true });
    expect(data.programs.find(({ name }) => name === 'perf')?.version).toBe('6.1.2');
  });

  test('that are missing are named with what they cost', async () => {
    const { data, unavailable } = await info();
    expect(data.capabilities).toMatchObject({ perf_available: false, bpf_available: false });
    expect(data.ebpf.bcc_tools_available).toBe(0);
    const gaps = unavailable?.map(({ what }) => what) ?? [];
    expect(gaps).toEqual(expect.arrayContaining(['perf', 'bpftrace', 'ebpf.available_tools']));
  });
});

test('where sysfs hides cores and sockets, what is taken for them is said', async () => {
  const { data, warnings } = await info();
  expect(data.cpu).toMatchObject({ threads: 2, cores: 2, sockets: 1 });
  const said = warnings?.join('\n');
  expect(said).toContain('The kernel tells no core of CPUs 0-1: each is taken for one.');
  expect(said).toContain('The kernel tells no package of CPUs 0-1');
});
