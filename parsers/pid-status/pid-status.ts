import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Fields are null where the kernel does not print them: a kernel thread has no memory lines. */
export type PidStatus = Readonly<{
  pid: number | null;
  /** Process that the thread belongs to. */
  tgid: number | null;
  /** The pid in each nested PID namespace, outermost first. */
  ns_pids: readonly number[] | null;
  uid_real: number | null;
  uid_effective: number | null;
  gid_real: number | null;
  gid_effective: number | null;
  threads: number | null;
  vm_size_bytes: number | null;
  vm_rss_bytes: number | null;
  rss_anon_bytes: number | null;
  rss_file_bytes: number | null;
  rss_shmem_bytes: number | null;
  vm_swap_bytes: number | null;
  /** Bits of <linux/capability.h>, 16 hexadecimal digits. */
  cap_effective: string | null;
  /** 0 off, 1 strict, 2 filter. */
  seccomp: number | null;
  /** Ranges such as `0-3,8`. */
  cpus_allowed_list: string | null;
  mems_allowed_list: string | null;
  voluntary_switches: number | null;
  involuntary_switches: number | null;
}>;

/**
 * /proc/PID/status and /proc/PID/task/TID/status (fs/proc/array.c, proc_pid_status).
 *
 *     Cpus_allowed_list:	0-1
 *     VmRSS:	    1736 kB
 *
 * The name line escapes newlines, so no process can forge a line. Counts of context switches are
 * those of the one thread. RssAnon came with Linux 4.5, NSpid with 4.1. Sizes are printed in KiB.
 */
export function parsePidStatus(text: string): Parsed<PidStatus> {
  const lines = new Map<string, Readonly<{ line: number; value: string }>>();
  for (const [index, line] of text.split('\n').entries()) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    lines.set(line.slice(0, colon), { line: index + 1, value: line.slice(colon + 1).trim() });
  }
  const warnings: ParseWarning[] = [];

  function numbers(name: string, pattern: RegExp): readonly number[] | null {
    const found = lines.get(name);
    if (found === undefined) return null;
    if (!pattern.test(found.value)) {
      warnings.push(warn(found.line, `${name} is not of the expected form`, found.value));
      return null;
    }
    return found.value.replace(' kB', '').split(/\s+/u).map(Number);
  }
  const list = (name: string) => numbers(name, /^\d{1,20}(?:\s+\d{1,20})*$/u);
  const single = (name: string) => numbers(name, /^\d{1,20}$/u)?.[0] ?? null;
  const bytes = (name: string): number | null => {
    const kib = numbers(name, /^\d{1,20} kB$/u)?.[0];
    return kib === undefined ? null : kib * 1024;
  };
  const uids = list('Uid');
  const gids = list('Gid');
  const data = {
    pid: single('Pid'),
    tgid: single('Tgid'),
    ns_pids: list('NSpid'),
    uid_real: uids?.[0] ?? null,
    uid_effective: uids?.[1] ?? null,
    gid_real: gids?.[0] ?? null,
    gid_effective: gids?.[1] ?? null,
    threads: single('Threads'),
    vm_size_bytes: bytes('VmSize'),
    vm_rss_bytes: bytes('VmRSS'),
    rss_anon_bytes: bytes('RssAnon'),
    rss_file_bytes: bytes('RssFile'),
    rss_shmem_bytes: bytes('RssShmem'),
    vm_swap_bytes: bytes('VmSwap'),
    cap_effective: lines.get('CapEff')?.value ?? null,
    seccomp: single('Seccomp'),
    cpus_allowed_list: lines.get('Cpus_allowed_list')?.value ?? null,
    mems_allowed_list: lines.get('Mems_allowed_list')?.value ?? null,
    voluntary_switches: single('voluntary_ctxt_switches'),
    involuntary_switches: single('nonvoluntary_ctxt_switches'),
  };
  return { data, warnings };
}
