import type { U64 } from '../../parsers/big-json.ts';
import type { BpfMap } from '../../parsers/bpftool-map/bpftool-map.ts';
import type { BpfProgram } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import type { Holder } from '../../parsers/bpftool-rows.ts';
import type { HeldPrograms } from './bpf-holders.ts';
import type { BpfObjects, Implemented } from './bpf-objects.ts';
import type { RunTime } from './bpf-run-times.ts';
import { round, sumOfAll } from './rates.ts';

export type BpfProgramRow = Readonly<{
  id: number;
  name: string | null;
  type: string;
  tag: string | null;
  /** Instructions that the verifier walked; known of programs that a process holds open. */
  verified_insns: number | null;
  /** Instructions after translation. */
  xlated_insns: number | null;
  bytes_xlated: number | null;
  bytes_jited: number | null;
  memlock_bytes: number | null;
  loaded_at: string | null;
  uid: number | null;
  /** Since it was loaded, as far as the kernel counted. A string where beyond 2^53. */
  run_time_ns: U64 | null;
  run_count: U64 | null;
  avg_run_time_ns: number | null;
  window: RunTime | null;
  recursion_misses: U64;
  map_ids: readonly number[];
  maps_memlock_bytes: number | null;
  /** `id` is null for what hangs on a perf event without a link. */
  links: readonly Readonly<{ id: number | null; type: string; target: string | null }>[] | null;
  pids: readonly Holder[] | null;
  struct_ops: Omit<Implemented, 'ops'> | null;
  /** The sched_ext scheduler that it is part of, by the name in its operations. */
  scheduler: string | null;
}>;

export type Surroundings = Readonly<{
  objects: BpfObjects;
  held: HeldPrograms;
  run_times: ReadonlyMap<number, RunTime>;
  stats_enabled: boolean | null;
}>;

export function programRow(program: BpfProgram, around: Surroundings): BpfProgramRow {
  const { id, bytes_xlated, loaded_at_s, bytes_memlock, pids, run_cnt, run_time_ns, ...rest } =
    program;
  const { objects, held, run_times, stats_enabled } = around;
  const implemented = objects.struct_ops.get(id);
  // bpftool leaves a counter out while it is 0; where the kernel counted, that is what it means.
  const unprinted = stats_enabled || run_times.has(id) ? 0 : null;
  return {
    id,
    name: rest.name,
    type: rest.type,
    tag: rest.tag,
    verified_insns: held.verified_insns.get(id) ?? null,
    xlated_insns: bytes_xlated === null ? null : bytes_xlated / 8,
    bytes_xlated,
    bytes_jited: rest.bytes_jited,
    memlock_bytes: bytes_memlock,
    loaded_at: loaded_at_s === null ? null : new Date(loaded_at_s * 1000).toISOString(),
    uid: rest.uid,
    run_time_ns: run_time_ns ?? unprinted,
    run_count: run_cnt ?? unprinted,
    avg_run_time_ns:
      run_cnt === null || run_time_ns === null
        ? null
        : round(Number(run_time_ns) / Number(run_cnt)),
    window: run_times.get(id) ?? null,
    recursion_misses: rest.recursion_misses,
    map_ids: rest.map_ids,
    maps_memlock_bytes: mapsMemory(rest.map_ids, objects.maps),
    links: attachments(id, objects),
    pids: pids ?? held.holders.get(id) ?? (held.complete ? [] : null),
    ...structOps(implemented),
  };
}

function structOps(implemented: Implemented | undefined) {
  if (!implemented) return { struct_ops: null, scheduler: null };
  const { ops, ...struct_ops } = implemented;
  const isScheduler = struct_ops.kernel_struct_ops === 'sched_ext_ops';
  return { struct_ops, scheduler: isScheduler ? (ops ?? struct_ops.name) : null };
}

/** Memory of these maps, each once; null where one of them is not known. */
export function mapsMemory(ids: readonly number[], maps: readonly BpfMap[] | null): number | null {
  const sizes = [...new Set(ids)].map(
    (id) => maps?.find((map) => map.id === id)?.bytes_memlock ?? null,
  );
  return sumOfAll(sizes);
}

function attachments(
  id: number,
  { links, perf_events, struct_ops }: BpfObjects,
): BpfProgramRow['links'] {
  if (!links) return null;
  const map_id = struct_ops.get(id)?.map_id;
  const own = links
    .filter((link) => link.prog_id === id || (map_id !== undefined && link.map_id === map_id))
    .map((link) => ({ id: link.id, type: link.type, target: link.target }));
  if (own.length > 0) return own;
  // One event per CPU: the same words each time.
  const events = perf_events.filter((event) => event.prog_id === id);
  const words = new Set(events.map(({ type, target }) => JSON.stringify([type, target])));
  return events
    .filter(({ type, target }) => words.delete(JSON.stringify([type, target])))
    .map(({ type, target }) => ({ id: null, type, target }));
}
