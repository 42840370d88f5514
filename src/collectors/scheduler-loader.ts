import { bpftoolShow, bpftoolStructOpsDump } from '../../allowlist/bpftool.ts';
import { parseBpftoolLink } from '../../parsers/bpftool-link/bpftool-link.ts';
import type { Holder } from '../../parsers/bpftool-rows.ts';
import { parseBpftoolStructOpsDump } from '../../parsers/bpftool-struct-ops-dump/bpftool-struct-ops-dump.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { heldStructOps } from './bpf-holders.ts';
import { runsPrivileged } from './privileges.ts';

export type LoadingProcess = Readonly<{
  /** The first of those that hold the scheduler: it is unloaded when the last of them ends. */
  process: Holder | null;
  unavailable: readonly Unavailable[];
}>;

/**
 * The process that loaded the scheduler named `ops` and keeps it loaded: it has a descriptor of the
 * struct_ops link, or of the map where there is no link. Null with the reason where nobody has one
 * and where that cannot be told.
 */
export async function loadingProcess(
  ctx: Context,
  ops: string | null,
  call: Call,
): Promise<LoadingProcess> {
  if (ctx.uid !== 0) {
    if (runsPrivileged(ctx)) return await listedLoader(ctx, ops, call);
    return unknown('Only root sees which process holds a scheduler.', as_root);
  }
  const { linked, mapped, complete } = heldStructOps(ctx);
  if (linked.size + mapped.size > 0) {
    const map_id = await mapOf(ops, ctx, call);
    if (typeof map_id !== 'number') return unknown(map_id.reason, map_id.fix);
    const [process] = linked.get(map_id) ?? mapped.get(map_id) ?? [];
    if (process) return { process, unavailable: [] };
  }
  return complete
    ? unknown('No process holds it: it is pinned in a bpffs, as by `bpftool struct_ops register`.')
    : unknown('Not every process could be looked at.');
}

/** What bpftool lists, run by a helper: descriptors of other users' processes are not for us. */
async function listedLoader(ctx: Context, ops: string | null, call: Call): Promise<LoadingProcess> {
  const map_id = await mapOf(ops, ctx, call);
  if (typeof map_id !== 'number') return unknown(map_id.reason, map_id.fix);
  const { stdout } = await ctx.run(bpftoolShow('link'), { signal: call.signal });
  const link = parseBpftoolLink(stdout).links.find((each) => each.map_id === map_id);
  const [process] = link?.pids ?? [];
  return process ? { process, unavailable: [] } : unknown(nobody_listed, as_root);
}

const as_root = 'sudo tracewright read scheduler://current';

const nobody_listed =
  'bpftool names no process that holds its link: it is pinned in a bpffs, or this bpftool was built without the part that tells (Debian).';

type Unknown = Readonly<{ reason: string; fix: string | null }>;

const unknown = (reason: string, fix: string | null = null): LoadingProcess => ({
  process: null,
  unavailable: [{ what: 'loading_process', reason, fix }],
});

/** The map that holds the operations of the scheduler. There may be others, such as sub-schedulers. */
async function mapOf(ops: string | null, ctx: Context, call: Call): Promise<number | Unknown> {
  try {
    const { stdout } = await ctx.run(bpftoolStructOpsDump(), { signal: call.signal });
    const maps = parseBpftoolStructOpsDump(stdout);
    const own = maps.find((map) => map.kernel_struct_ops === 'sched_ext_ops' && map.ops === ops);
    return own?.map_id ?? { reason: 'bpftool does not list its operations.', fix: null };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { reason: message, fix: suggestion };
  }
}
