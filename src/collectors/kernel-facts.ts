import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { containerHint, virtualisationHint } from './machine-hints.ts';
import { runsPrivileged } from './privileges.ts';
import { locateTracefs } from './tracefs.ts';

/** Something about this kernel; where it is absent or in the way, why and what changes it. */
export type Fact<T> = Readonly<{ value: T | null; reason: string | null; fix: string | null }>;

/** What this kernel offers and allows. Read once per server: most of it needs a boot to change. */
export type KernelFacts = Readonly<{
  release: Fact<string>;
  /** Whether the kernel describes its own types (BTF), which CO-RE programs and fentry need. */
  btf: Fact<boolean>;
  /** Folder through which tracefs can be read. */
  tracefs: Fact<string>;
  kprobes: Fact<boolean>;
  sched_ext: Fact<boolean>;
  psi: Fact<boolean>;
  cgroup: Fact<'v1' | 'v2' | 'hybrid'>;
  perf_event_paranoid: Fact<number>;
  kptr_restrict: Fact<number>;
  unprivileged_bpf_disabled: Fact<number>;
  lockdown: Fact<string>;
  /** Names of the devices that count cycles and cache misses. */
  pmu: Fact<readonly string[]>;
  /** Whether the kernel counts the run time of BPF programs at the moment. */
  bpf_stats_enabled: Fact<boolean>;
  sched_schedstats: Fact<boolean>;
  /** The kind of container that this process seems to be in. */
  container: Fact<string>;
  /** What this machine seems to run on. */
  virtualisation: Fact<string>;
  uid: Fact<number>;
}>;

const known = new WeakMap<Context, KernelFacts>();

export function kernelFacts(ctx: Context): KernelFacts {
  const before = known.get(ctx);
  if (before) return before;
  const facts = readFacts(ctx);
  known.set(ctx, facts);
  return facts;
}

const event_sources = '/sys/bus/event_source/devices';

function readFacts(ctx: Context): KernelFacts {
  const { files } = ctx;
  return {
    release: fact(release(ctx), 'not readable'),
    btf: flag(
      files.exists('/sys/kernel/btf/vmlinux'),
      'The kernel does not describe its types (BTF): it was built without CONFIG_DEBUG_INFO_BTF.',
    ),
    tracefs: tracefs(ctx),
    kprobes: kprobes(ctx),
    sched_ext: flag(
      files.exists('/sys/kernel/sched_ext'),
      'The kernel was built without CONFIG_SCHED_CLASS_EXT (mainline has it since 6.12).',
    ),
    psi: psi(ctx),
    cgroup: cgroup(ctx),
    perf_event_paranoid: paranoid(ctx),
    kptr_restrict: kptrRestrict(ctx),
    unprivileged_bpf_disabled: fact(
      files.number('/proc/sys/kernel/unprivileged_bpf_disabled'),
      'The kernel was built without CONFIG_BPF_SYSCALL.',
    ),
    lockdown: lockdown(ctx),
    pmu: pmu(ctx),
    bpf_stats_enabled: sysctlFlag(
      ctx,
      'kernel.bpf_stats_enabled',
      'The run time of BPF programs is not counted at the moment.',
    ),
    sched_schedstats: sysctlFlag(
      ctx,
      'kernel.sched_schedstats',
      'Wait and block times of tasks are not collected.',
    ),
    container: fact(containerHint(files), null),
    virtualisation: fact(virtualisationHint(files), null),
    uid: ctx.uid === 0 ? fact(0, null) : { value: ctx.uid, ...notRoot(ctx) },
  };
}

function notRoot(ctx: Context): Pick<Fact<number>, 'reason' | 'fix'> {
  if (runsPrivileged(ctx)) {
    const reason =
      'Not root: tracers run through the helper; files of other users are out of reach.';
    return { reason, fix: null };
  }
  return {
    reason: 'Not root: BPF programs, tracefs and the files of other users are out of reach.',
    fix: 'sudo tracewright doctor',
  };
}

/** A value; where it is null, the reason. */
function fact<T>(value: T | null, reason: string | null, fix: string | null = null): Fact<T> {
  return value === null ? { value, reason, fix } : { value, reason: null, fix: null };
}

function flag(value: boolean, reason: string, fix: string | null = null): Fact<boolean> {
  return value ? { value, reason: null, fix: null } : { value, reason, fix };
}

function release({ files }: Context): string | null {
  const text = files.text('/proc/sys/kernel/osrelease');
  return text === null ? null : untrusted(text);
}

function tracefs(ctx: Context): Fact<string> {
  const { path, reason, fix } = locateTracefs(ctx);
  return { value: path, reason, fix };
}

/**
 * The perf device `kprobe` is there exactly where CONFIG_KPROBE_EVENTS is set (since 4.17, as
 * `uprobe` is for its option); older kernels are asked for the symbol.
 */
function kprobes({ files }: Context): Fact<boolean> {
  const confidential = lockedDown(files.text('/sys/kernel/security/lockdown')) === confidentiality;
  if (confidential) return flag(false, 'Kernel lockdown (confidentiality) refuses kprobes.');
  if (files.number('/sys/kernel/debug/kprobes/enabled') === 0) {
    const fix = 'echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled';
    return flag(false, 'Kprobes are switched off.', fix);
  }
  const devices = files.list(event_sources);
  if (devices?.includes('kprobe')) return flag(true, '');
  const missing = 'The kernel was built without CONFIG_KPROBE_EVENTS.';
  if (devices?.includes('uprobe')) return flag(false, missing);
  const symbols = files.read('/proc/kallsyms', 64 * 1024 * 1024);
  if (!symbols.ok) return { value: null, reason: '/proc/kallsyms is not readable.', fix: null };
  return flag(symbols.text.includes(' register_kprobe\n'), missing);
}

function psi({ files }: Context): Fact<boolean> {
  const file = files.read('/proc/pressure/cpu');
  if (file.ok) return flag(true, '');
  if (file.absence === 'missing') return flag(false, 'The kernel was built without CONFIG_PSI.');
  // With CONFIG_PSI_DEFAULT_DISABLED the files are there and every read gives EOPNOTSUPP.
  const reason = 'Pressure stall information is switched off at boot.';
  return flag(false, reason, 'Boot with psi=1 on the kernel command line.');
}

function cgroup({ files }: Context): Fact<'v1' | 'v2' | 'hybrid'> {
  const mounts = files.text('/proc/self/mountinfo') ?? '';
  const v1 = mounts.includes(' - cgroup ');
  const v2 = mounts.includes(' - cgroup2 ');
  if (v1 && v2) return fact('hybrid', null);
  if (v1) return fact('v1', null);
  if (v2 || files.exists('/sys/fs/cgroup/cgroup.controllers')) return fact('v2', null);
  const fix = 'sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup';
  return { value: null, reason: 'No cgroup file system is mounted.', fix };
}

function paranoid({ files, uid }: Context): Fact<number> {
  const value = files.number('/proc/sys/kernel/perf_event_paranoid');
  if (value === null) return { value, reason: 'The kernel has no perf events.', fix: null };
  if (uid === 0 || value <= 0) return fact(value, null);
  const reason = 'Only root may measure a whole CPU or the kernel with perf.';
  return { value, reason, fix: 'sudo sysctl kernel.perf_event_paranoid=0' };
}

function kptrRestrict({ files, uid }: Context): Fact<number> {
  const value = files.number('/proc/sys/kernel/kptr_restrict');
  const hidden = value !== null && (value === 2 || (value === 1 && uid !== 0));
  if (!hidden) return fact(value, 'not readable');
  const reason = 'Addresses of kernel functions are hidden, so profiles cannot name them.';
  return { value, reason, fix: 'sudo sysctl kernel.kptr_restrict=0' };
}

const confidentiality = 'confidentiality';

/** The level in brackets: "none [integrity] confidentiality". */
function lockedDown(text: string | null): string | null {
  return /\[(\w+)\]/.exec(text ?? '')?.[1] ?? null;
}

function lockdown({ files }: Context): Fact<string> {
  const value = lockedDown(files.text('/sys/kernel/security/lockdown'));
  if (value === null) {
    const reason = 'securityfs is not mounted, or the kernel has no lockdown.';
    return { value, reason, fix: 'sudo mount -t securityfs securityfs /sys/kernel/security' };
  }
  if (value !== confidentiality) return fact(value, null);
  const reason = 'The kernel refuses kprobes, BPF reads of its memory and profiles of itself.';
  return { value, reason, fix: 'Boot without lockdown=confidentiality.' };
}

/** x86 and RISC-V say `cpu`, hybrid x86 one per core type, Arm the model, s390 `cpum_cf`. */
const cpuPmu = /^(?:cpu|cpu_core|cpu_atom|cpum_cf|armv\d\w*|apple_\w+_pmu)$/;

function pmu({ files }: Context): Fact<readonly string[]> {
  const names = (files.list(event_sources) ?? []).filter((name) => cpuPmu.test(name)).sort();
  const reason =
    'The kernel offers no hardware counters; most virtual machines have none unless the host passes them on.';
  return fact(names.length > 0 ? names : null, reason);
}

function sysctlFlag({ files }: Context, name: string, off: string): Fact<boolean> {
  const value = files.number(`/proc/sys/${name.replaceAll('.', '/')}`);
  if (value === null) {
    return { value, reason: `The kernel has no setting ${name}.`, fix: null };
  }
  return flag(value !== 0, off, `sudo sysctl ${name}=1`);
}
