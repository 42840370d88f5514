import { describe, expect, test } from 'vitest';
import { kernelFacts } from '../../src/collectors/kernel-facts.ts';
import { fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const factsOf = (files: HostFilesNow, uid = 0) =>
  kernelFacts(scriptedContext(fakeHost(files), [], { uid }));

const bare = factsOf({});

test('a host that shows nothing has a reason for everything it lacks', () => {
  const { container, virtualisation, uid, ...facts } = bare;
  for (const [name, { value, reason }] of Object.entries(facts)) {
    expect([name, [null, false].includes(value as null), typeof reason]).toEqual([
      name,
      true,
      'string',
    ]);
  }
  expect([container.value, virtualisation.value, uid.value]).toEqual([null, null, 0]);
});

test('a host that has everything has no reasons', () => {
  const facts = factsOf({
    'proc/sys/kernel/osrelease': '6.18.1\n',
    'proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    'proc/self/mountinfo': '30 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    'proc/sys/kernel/perf_event_paranoid': '-1\n',
    'proc/sys/kernel/kptr_restrict': '0\n',
    'proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
    'proc/sys/kernel/bpf_stats_enabled': '1\n',
    'proc/sys/kernel/sched_schedstats': '1\n',
    'sys/kernel/btf/vmlinux': '',
    'sys/kernel/tracing/available_events': 'sched:sched_switch\n',
    'sys/kernel/sched_ext/state': 'disabled\n',
    'sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
    'sys/bus/event_source/devices/cpu/type': '4\n',
    'sys/bus/event_source/devices/kprobe/type': '6\n',
  });
  const { container, virtualisation, ...rest } = facts;
  for (const [name, { value, reason, fix }] of Object.entries(rest)) {
    expect([name, value === null || value === false, reason, fix]).toEqual([
      name,
      false,
      null,
      null,
    ]);
  }
  expect(facts.release.value).toBe('6.18.1');
  expect(facts.tracefs.value).toBe('/sys/kernel/tracing');
  expect(facts.pmu.value).toEqual(['cpu']);
  expect(facts.lockdown.value).toBe('none');
});

test('facts are read once per server', () => {
  const ctx = scriptedContext(fakeHost({ 'proc/sys/kernel/osrelease': '6.1.0\n' }));
  const before = kernelFacts(ctx);
  ctx.pass(1, { 'proc/sys/kernel/osrelease': '7.0.0\n' });
  expect(kernelFacts(ctx)).toBe(before);
});

describe('tracefs', () => {
  const mounted = '30 24 0:12 / /sys/kernel/tracing rw - tracefs tracefs rw\n';

  test('below debugfs is found where older kernels have it', () => {
    const { tracefs } = factsOf({
      'sys/kernel/debug/tracing/available_events': 'sched:sched_switch\n',
    });
    expect(tracefs.value).toBe('/sys/kernel/debug/tracing');
  });

  test('that is not mounted is mounted with one command', () => {
    const { tracefs } = factsOf({ 'sys/kernel/tracing/.keep': '' });
    expect(tracefs).toEqual({
      value: null,
      reason: 'tracefs is not mounted.',
      fix: 'sudo mount -t tracefs nodev /sys/kernel/tracing',
    });
  });

  test('that is mounted for root alone says so', () => {
    const { tracefs } = factsOf({ 'proc/self/mountinfo': mounted }, 1000);
    expect(tracefs).toMatchObject({ value: null, reason: 'Only root may read tracefs.' });
  });
});

describe('kprobes', () => {
  const devices = 'sys/bus/event_source/devices';

  test('are missing where the kernel has the uprobe device alone', () => {
    expect(factsOf({ [`${devices}/uprobe/type`]: '7\n' }).kprobes.value).toBe(false);
  });

  test.each([
    { symbols: 'ffffffff81234560 T register_kprobe\n', has: true },
    { symbols: 'ffffffff81234560 T register_kprobes_all\n', has: false },
  ])('of a kernel before 4.17 are told by its symbols ($has)', ({ symbols, has }) => {
    expect(factsOf({ 'proc/kallsyms': symbols }).kprobes.value).toBe(has);
  });

  test('are refused under lockdown for confidentiality', () => {
    const { kprobes, lockdown } = factsOf({
      [`${devices}/kprobe/type`]: '6\n',
      'sys/kernel/security/lockdown': 'none integrity [confidentiality]\n',
    });
    expect(kprobes.value).toBe(false);
    expect(kprobes.reason).toContain('lockdown');
    expect(lockdown.fix).toContain('lockdown=confidentiality');
  });

  test('that are switched off can be switched on', () => {
    const { kprobes } = factsOf({
      [`${devices}/kprobe/type`]: '6\n',
      'sys/kernel/debug/kprobes/enabled': '0\n',
    });
    expect(kprobes.fix).toBe('echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled');
  });
});

test.each([
  { mounts: '- cgroup cgroup rw,cpu\n', version: 'v1' },
  { mounts: '- cgroup2 cgroup2 rw\n', version: 'v2' },
  { mounts: '- cgroup cgroup rw,cpu\n31 1 0:1 / /u rw - cgroup2 cgroup2 rw\n', version: 'hybrid' },
])('mounts tell that cgroups are $version', ({ mounts, version }) => {
  const text = `30 24 0:27 / /sys/fs/cgroup rw ${mounts}`;
  expect(factsOf({ 'proc/self/mountinfo': text }).cgroup.value).toBe(version);
});

describe('what a user may not', () => {
  const files = {
    'proc/sys/kernel/perf_event_paranoid': '2\n',
    'proc/sys/kernel/kptr_restrict': '1\n',
  };

  test('has a command that allows it', () => {
    const { perf_event_paranoid, kptr_restrict, uid } = factsOf(files, 1000);
    expect(perf_event_paranoid.fix).toBe('sudo sysctl kernel.perf_event_paranoid=0');
    expect(kptr_restrict.fix).toBe('sudo sysctl kernel.kptr_restrict=0');
    expect(uid.reason).toContain('Not root');
  });

  test('root may', () => {
    const { perf_event_paranoid, kptr_restrict } = factsOf(files, 0);
    expect([perf_event_paranoid.reason, kptr_restrict.reason]).toEqual([null, null]);
  });
});

describe('where the kernel runs', () => {
  const hypervisor = 'processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n';
  const metal = 'processor\t: 0\nflags\t\t: fpu vme lahf_lm\n';

  test.each([
    { cpu: hypervisor, vendor: 'QEMU\n', told: 'QEMU' },
    { cpu: hypervisor, vendor: 'Unheard of\n', told: 'unidentified hypervisor' },
    { cpu: metal, vendor: 'Microsoft Corporation\n', told: null },
    { cpu: 'processor\t: 0\nFeatures\t: fp asimd\n', vendor: 'Amazon EC2\n', told: 'Amazon EC2' },
  ])('$vendor with these CPU flags is $told', ({ cpu, vendor, told }) => {
    const files = { 'proc/cpuinfo': cpu, 'sys/class/dmi/id/sys_vendor': vendor };
    expect(factsOf(files).virtualisation.value).toBe(told);
  });

  test.each([
    { files: { 'run/systemd/container': 'systemd-nspawn\n' }, told: 'systemd-nspawn' },
    { files: { 'proc/self/cgroup': '0::/kubepods.slice/pod1\n' }, told: 'kubepods' },
    { files: { 'proc/1/comm': 'systemd\n', 'proc/2/comm': 'kthreadd\n' }, told: null },
    {
      files: { 'proc/1/comm': 'node\n', 'proc/self/cgroup': '0::/\n' },
      told: 'a process namespace of its own',
    },
  ])('these files speak of $told', ({ files, told }) => {
    expect(factsOf(files as HostFilesNow).container.value).toBe(told);
  });
});
