import { untrusted } from '../../parsers/untrusted.ts';
import type { HostFiles } from '../procfs/host-files.ts';

const runtimes = /docker|kubepods|containerd|libpod|lxc|garden/;

/**
 * The kind of container that this process seems to be in, or null. A hint: nothing in Linux is a
 * container. Outside of one, process 2 is the kernel's thread parent.
 */
export function containerHint(files: HostFiles): string | null {
  const told = files.text('/run/systemd/container')?.trim();
  if (told) return untrusted(told, 40);
  const runtime = runtimes.exec(files.text('/proc/self/cgroup') ?? '')?.[0];
  if (runtime !== undefined) return runtime;
  const second = files.text('/proc/2/comm')?.trim();
  const initial = second === 'kthreadd' || !files.exists('/proc/1/comm');
  return initial ? null : 'a process namespace of its own';
}

/** What this machine seems to run on, or null for bare metal (or a hypervisor that hides). */
export function virtualisationHint(files: HostFiles): string | null {
  const xen = files.text('/sys/hypervisor/type')?.trim();
  if (xen) return untrusted(xen, 40);
  const names = ['sys_vendor', 'product_name'].map((name) =>
    files.text(`/sys/class/dmi/id/${name}`),
  );
  const machine = names.join(' ');
  const vendor = /QEMU|KVM|VMware|VirtualBox|Microsoft|Amazon EC2|Google|Bochs|Parallels/i.exec(
    machine,
  );
  // The first CPU is enough, and on a large machine much less.
  const file = files.read('/proc/cpuinfo', 8192);
  const flagged = file.ok && /^flags\s*:.* hypervisor( |$)/m.test(file.text);
  if (flagged) return vendor?.[0] ?? 'unidentified hypervisor';
  // Only x86 has the flag. Makers of hypervisors build bare machines too, so a name alone is not one.
  return file.ok && /^flags\s*:/m.test(file.text) ? null : (vendor?.[0] ?? null);
}
