import { parseCpuModel } from '../../parsers/cpuinfo/cpuinfo.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { installedTracers } from './bpf-tools.ts';
import { readCpuLimit } from './cgroup-cpu.ts';
import { readCgroupMemory } from './cgroup-memory.ts';
import { findCgroup } from './cgroup-places.ts';
import { readProcStat } from './cpu-counters.ts';
import { cpu_root } from './cpu-files.ts';
import { type KernelFacts, kernelFacts } from './kernel-facts.ts';
import { readHostMemory } from './memory-setup.ts';
import { ownPermissions } from './own-capabilities.ts';
import { readSelf } from './process-places.ts';
import { programVersions } from './program-versions.ts';
import { readTopology } from './topology.ts';
import { count } from './topology-words.ts';
import { virtualisation } from './virtualisation.ts';

export type HostInfo = Awaited<ReturnType<typeof infoOf>>;

/** What this host is, and what of it can be measured from here. */
export async function collectHostInfo(ctx: Context): Promise<Reading<HostInfo>> {
  const data = await infoOf(ctx);
  return {
    data,
    source: '/proc, /sys, --version of perf, bpftool and bpftrace',
    summary: inWords(data),
    // What had to be assumed of cores, sockets and nodes.
    warnings: readTopology(ctx.files).notes,
    unavailable: missing(ctx, data),
  };
}

async function infoOf(ctx: Context) {
  const { files } = ctx;
  const kernel = kernelFacts(ctx);
  const programs = await programVersions(ctx);
  const installed = (name: string): boolean =>
    programs.some((each) => each.name === name && each.problem === null);
  const ebpf = installedTracers(ctx);
  const permissions = ownPermissions(ctx);
  return {
    system: systemOf(ctx, kernel),
    cpu: cpuOf(files),
    virtualization: virtualisation(ctx),
    capabilities: {
      perf_available: installed('perf'),
      perf_permitted: permissions.perf_permitted,
      bpf_available: installed('bpftrace') || installed('bpftool') || ebpf.bcc_tools_available > 0,
      bpf_permitted: permissions.bpf_permitted,
      btf_available: kernel.btf.value,
      psi_enabled: kernel.psi.value,
      kprobes: kernel.kprobes.value,
      tracefs: kernel.tracefs.value,
      perf_scope: permissions.perf_scope,
      ptrace_permitted: permissions.ptrace_permitted,
      effective_capabilities: permissions.effective_capabilities,
      perf_event_paranoid: kernel.perf_event_paranoid.value,
      kptr_restrict: kernel.kptr_restrict.value,
      lockdown: kernel.lockdown.value,
      pmu: kernel.pmu.value,
    },
    ebpf,
    memory: readHostMemory(files),
    /** What the container, or the group that this server is in, may use at most. */
    limits: ownLimits(ctx),
    programs: programs.map(({ name, version, path, problem, fix }) => ({
      name,
      version,
      path,
      problem,
      fix,
    })),
  };
}

function systemOf(ctx: Context, { release }: KernelFacts) {
  const { files } = ctx;
  const uptime = /^(\d+)/.exec(files.text('/proc/uptime') ?? '')?.[1];
  const { stat } = readProcStat(files);
  return {
    hostname: untrusted(ctx.host),
    kernel: release.value,
    arch: ctx.arch,
    uptime_seconds: uptime === undefined ? null : Number(uptime),
    boot_time: stat.boot_time_s === null ? null : new Date(stat.boot_time_s * 1000).toISOString(),
    kernel_headers: headersOf(files, release.value),
  };
}

/** Whether BCC finds what it compiles against. */
function headersOf(files: HostFiles, release: string | null): boolean | null {
  if (release === null || !/^[\w.+~-]+$/.test(release)) return null;
  return files.exists(`/lib/modules/${release}/build`);
}

function cpuOf(files: HostFiles) {
  // The first CPU is enough: on a large host the file has megabytes.
  const file = files.read('/proc/cpuinfo', 16 * 1024);
  const model = file.ok ? parseCpuModel(file.text) : null;
  const { cores, cpus, nodes, packages, offline } = readTopology(files);
  const governors = governorsOf(files);
  return {
    model: model === null ? null : untrusted(model),
    cores: cores.length,
    threads: cpus.length,
    numa_nodes: nodes.length,
    /** Several where CPUs differ, joined by "+". */
    scaling_governor: governors.length === 0 ? null : governors.join('+'),
    sockets: packages.length,
    offline: offline.length,
  };
}

function governorsOf(files: HostFiles): readonly string[] {
  const names = (files.list(`${cpu_root}/cpufreq`) ?? []).filter((name) =>
    /^policy\d+$/.test(name),
  );
  const found = names.map((name) =>
    files.text(`${cpu_root}/cpufreq/${name}/scaling_governor`)?.trim(),
  );
  return [...new Set(found.filter((each) => each !== undefined))].map((each) =>
    untrusted(each, 40),
  );
}

function ownLimits(ctx: Context) {
  const self = readSelf(ctx.files);
  try {
    const places = self === null ? null : findCgroup(ctx, { pid: self });
    if (places === null) return null;
    return {
      cpu_cores: readCpuLimit(ctx.files, places.cpu).effective_limit_cores,
      memory_bytes: readCgroupMemory(ctx.files, places.memory)?.effective_max_bytes ?? null,
    };
  } catch (error) {
    if (error instanceof TracewrightError) return null;
    throw error;
  }
}

function missing(ctx: Context, { cpu, system, programs, ebpf, memory }: HostInfo): Unavailable[] {
  const { btf, psi, tracefs, perf_event_paranoid, lockdown, pmu, kprobes } = kernelFacts(ctx);
  const facts = { btf, psi, tracefs, kprobes, perf_event_paranoid, lockdown, pmu };
  // The helper's perf is root's.
  const helped = ctx.helper.route() !== null && perf_event_paranoid.value !== null;
  const gap = (what: string, reason: string): Unavailable => ({ what, reason, fix: null });
  return [
    ...Object.entries(facts).flatMap(([what, { reason, fix }]) =>
      reason === null || (helped && what === 'perf_event_paranoid') ? [] : [{ what, reason, fix }],
    ),
    ...programs
      .filter(({ version }) => version === null)
      .map(({ name, problem, fix }) => ({
        what: name,
        reason: `${problem ?? 'it did not say its version'}.`,
        fix,
      })),
    ...(ebpf.bcc_tools_available === 0
      ? [gap('ebpf.available_tools', 'Neither BCC nor libbpf-tools is installed.')]
      : []),
    ...(memory.total_bytes === null
      ? [gap('memory.total_bytes, memory.swap_total_bytes', '/proc/meminfo does not tell.')]
      : []),
    ...(cpu.model === null ? [gap('cpu.model', '/proc/cpuinfo does not name it.')] : []),
    ...(cpu.scaling_governor === null
      ? [gap('cpu.scaling_governor', 'No cpufreq driver runs: usual in a virtual machine.')]
      : []),
    ...(system.uptime_seconds === null
      ? [gap('system.uptime_seconds', '/proc/uptime cannot be read.')]
      : []),
  ];
}

const amount = (bytes: number | null): string =>
  bytes === null ? 'an unknown amount' : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const yes = (value: boolean): string => (value ? 'yes' : 'no');

function inWords({ system, cpu, virtualization, memory, capabilities, ebpf, programs }: HostInfo) {
  const version = ({ name, version: known, path }: (typeof programs)[number]): string =>
    path === null ? `no ${name}` : `${name} ${known ?? 'of unknown version'}`;
  const days =
    system.uptime_seconds === null ? 'unknown' : (system.uptime_seconds / 86_400).toFixed(1);
  return [
    `${system.hostname}: Linux ${system.kernel} (${system.arch}), up ${days} days.`,
    `${cpu.model ?? 'Unknown processor'}: ${count(cpu.sockets, 'socket')}, ${count(cpu.cores, 'core')}, ` +
      `${count(cpu.threads, 'CPU')}, ${count(cpu.numa_nodes, 'NUMA node')}.`,
    `${amount(memory.total_bytes)} of memory, transparent huge pages ` +
      `${memory.thp_mode ?? 'unknown'}; runs in ${virtualization.type}, cgroup ${virtualization.cgroup_mode}.`,
    `May profile the whole machine: ${yes(capabilities.perf_permitted)}; may load BPF: ` +
      `${yes(capabilities.bpf_permitted)}; BTF ${yes(capabilities.btf_available === true)}, PSI ` +
      `${yes(capabilities.psi_enabled === true)}.`,
    `${programs.map(version).join(', ')}; ${ebpf.bcc_tools_available} of ${ebpf.bcc_tools_total} BCC tools.`,
  ];
}
