import { type BpfFdInfo, parseBpfFdInfo } from '../../parsers/bpf-fdinfo/bpf-fdinfo.ts';
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

export type HeldStructOps = Readonly<{
  /** Processes with a descriptor of the link that keeps the operations in use, by map id. */
  linked: ReadonlyMap<number, readonly Holder[]>;
  /** Those with one of the map itself. */
  mapped: ReadonlyMap<number, readonly Holder[]>;
  complete: boolean;
}>;

/** Reading every descriptor of a host with 100,000 processes takes seconds; nobody waits for that. */
const longest_ms = 250;

/**
 * Who holds BPF programs open, from the descriptors in `/proc/<pid>/fd`. A bpftool that was built
 * without skeletons (Debian 12) cannot tell, and none tells how many instructions were verified.
 * Processes of other users are seen by root only.
 */
export function heldPrograms(ctx: Context): HeldPrograms {
  const holders = new Map<number, Holder[]>();
  const verified_insns = new Map<number, number>();
  const complete = eachDescriptor(ctx, /^anon_inode:bpf[-_](?:prog|link)$/, (pid, info) => {
    if (info.prog_id === null) return;
    addHolder(holders, info.prog_id, ctx, pid);
    if (info.verified_insns !== null) verified_insns.set(info.prog_id, info.verified_insns);
  });
  return { holders, verified_insns, complete: complete && ctx.uid === 0 };
}

/** BPF_MAP_TYPE_STRUCT_OPS (include/uapi/linux/bpf.h). */
const struct_ops_map = 26;

/** Who holds struct_ops, such as those of a scheduler, from the same descriptors. */
export function heldStructOps(ctx: Context): HeldStructOps {
  const linked = new Map<number, Holder[]>();
  const mapped = new Map<number, Holder[]>();
  const complete = eachDescriptor(ctx, /^anon_inode:bpf[-_](?:map|link)$/, (pid, info) => {
    const { map_id, link_type, map_type } = info;
    if (map_id === null) return;
    if (link_type === 'struct_ops') addHolder(linked, map_id, ctx, pid);
    if (map_type === struct_ops_map) addHolder(mapped, map_id, ctx, pid);
  });
  return { linked, mapped, complete };
}

/** Calls `take` for each descriptor of these kinds; false where time ran out before the last one. */
function eachDescriptor(
  ctx: Context,
  kinds: RegExp,
  take: (pid: number, info: BpfFdInfo) => void,
): boolean {
  const { files } = ctx;
  const deadline_ms = ctx.monotonicMs() + longest_ms;
  const pids = (files.list('/proc') ?? []).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (ctx.monotonicMs() > deadline_ms) return false;
    for (const fd of files.list(`/proc/${pid}/fd`) ?? []) {
      if (!kinds.test(files.link(`/proc/${pid}/fd/${fd}`) ?? '')) continue;
      take(Number(pid), parseBpfFdInfo(files.text(`/proc/${pid}/fdinfo/${fd}`) ?? ''));
    }
  }
  return true;
}

function addHolder(
  holders: Map<number, Holder[]>,
  id: number,
  { files }: Context,
  pid: number,
): void {
  const before = holders.get(id) ?? [];
  if (before.some((holder) => holder.pid === pid)) return;
  const comm = files.text(`/proc/${pid}/comm`);
  holders.set(id, [...before, { pid, comm: comm === null ? null : untrusted(comm) }]);
}
