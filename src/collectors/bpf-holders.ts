import { parseBpfFdInfo } from '../../parsers/bpf-fdinfo/bpf-fdinfo.ts';
import type { Holder } from '../../parsers/bpftool-rows.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';

export type HeldPrograms = Readonly<{
  /** Processes with a descriptor of the program or of a link of it, by program id. */
  holders: ReadonlyMap<number, readonly Holder[]>;
  verified_insns: ReadonlyMap<number, number>;
  /** Whether every process was looked at. */
  complete: boolean;
}>;

/** Reading every descriptor of a host with 100,000 processes takes seconds; nobody waits for that. */
const longest_ms = 250;

const held = /^anon_inode:bpf[-_](?:prog|link)$/;

/**
 * Who holds BPF programs open, from the descriptors in `/proc/<pid>/fd`. A bpftool that was built
 * without skeletons (Debian 12) cannot tell, and none tells how many instructions were verified.
 * Processes of other users are seen by root only.
 */
export function heldPrograms(ctx: Context): HeldPrograms {
  const holders = new Map<number, Holder[]>();
  const verified_insns = new Map<number, number>();
  const deadline_ms = ctx.monotonicMs() + longest_ms;
  const pids = (ctx.files.list('/proc') ?? []).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (ctx.monotonicMs() > deadline_ms) return { holders, verified_insns, complete: false };
    for (const info of descriptorsOf(ctx, pid)) {
      if (info.prog_id === null) continue;
      addHolder(holders, info.prog_id, ctx, Number(pid));
      if (info.verified_insns !== null) verified_insns.set(info.prog_id, info.verified_insns);
    }
  }
  return { holders, verified_insns, complete: true };
}

function descriptorsOf({ files }: Context, pid: string) {
  const fds = files.list(`/proc/${pid}/fd`) ?? [];
  return fds
    .filter((fd) => held.test(files.link(`/proc/${pid}/fd/${fd}`) ?? ''))
    .map((fd) => parseBpfFdInfo(files.text(`/proc/${pid}/fdinfo/${fd}`) ?? ''));
}

function addHolder(
  holders: Map<number, Holder[]>,
  prog_id: number,
  { files }: Context,
  pid: number,
): void {
  const before = holders.get(prog_id) ?? [];
  if (before.some((holder) => holder.pid === pid)) return;
  const comm = files.text(`/proc/${pid}/comm`);
  holders.set(prog_id, [...before, { pid, comm: comm === null ? null : untrusted(comm) }]);
}
