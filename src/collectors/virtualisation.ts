import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { kernelFacts } from './kernel-facts.ts';

/** The documented words for what a host runs in. */
export type Virtualisation = Readonly<{
  type: 'none' | 'kvm' | 'xen' | 'vmware' | 'hyperv' | 'docker' | 'lxc' | 'podman' | 'unknown';
  container: boolean;
  /** The kind that the container seems to be of, in the words of its runtime. */
  container_hint: string | null;
  /** What the machine under it seems to run on. */
  hypervisor: string | null;
  /** Where the controllers are; null without a cgroup file system. */
  cgroup_version: 1 | 2 | null;
  cgroup_mode: 'v1' | 'v2' | 'hybrid' | null;
}>;

export function virtualisation(ctx: Context): Virtualisation {
  const { container, virtualisation: machine, cgroup } = kernelFacts(ctx);
  const hypervisor = machine.value;
  const mode = cgroup.value;
  return {
    type:
      container.value === null
        ? machineType(ctx.files, hypervisor)
        : (words(containerTypes, container.value) ?? 'unknown'),
    container: container.value !== null,
    container_hint: container.value,
    hypervisor,
    cgroup_version: mode === null ? null : mode === 'v2' ? 2 : 1,
    cgroup_mode: mode,
  };
}

const containerTypes = [
  [/docker/, 'docker'],
  [/libpod|podman/, 'podman'],
  [/lxc/, 'lxc'],
] as const;

const machineTypes = [
  [/xen/i, 'xen'],
  [/vmware/i, 'vmware'],
  [/microsoft/i, 'hyperv'],
  [/qemu|kvm|google|amazon/i, 'kvm'],
] as const;

/** The hypervisor offers its clock even where it hides its name. */
const clockTypes = [
  [/kvm-clock/, 'kvm'],
  [/hyperv/, 'hyperv'],
  [/xen/, 'xen'],
] as const;

function machineType(files: HostFiles, hypervisor: string | null): Virtualisation['type'] {
  if (hypervisor === null) return 'none';
  const named = words(machineTypes, hypervisor);
  if (named) return named;
  const clocks = files.text('/sys/devices/system/clocksource/clocksource0/available_clocksource');
  return words(clockTypes, clocks ?? '') ?? 'unknown';
}

const words = <T>(table: readonly (readonly [RegExp, T])[], text: string): T | undefined =>
  table.find(([pattern]) => pattern.test(text))?.[1];
