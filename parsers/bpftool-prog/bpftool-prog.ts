import type { U64 } from '../big-json.ts';
import {
  bpftoolRows,
  type Holder,
  holdersOf,
  numberOf,
  type Row,
  textOf,
  typeOf,
  u64Of,
} from '../bpftool-rows.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

export type BpfProgram = Readonly<{
  id: number;
  type: string;
  name: string | null;
  tag: string | null;
  /** Seconds since 1970. */
  loaded_at_s: number | null;
  uid: number | null;
  /** Instructions after translation by the verifier, 8 bytes each. */
  bytes_xlated: number | null;
  bytes_jited: number | null;
  bytes_memlock: number | null;
  map_ids: readonly number[];
  /** Since it was loaded, counted only while kernel.bpf_stats_enabled is 1. */
  run_time_ns: U64 | null;
  run_cnt: U64 | null;
  recursion_misses: U64;
  pids: readonly Holder[] | null;
}>;

export type BpfPrograms = Readonly<{
  programs: readonly BpfProgram[];
  errors: readonly string[];
}>;

/**
 * `bpftool -j prog show` (tools/bpf/bpftool/prog.c), one object per program:
 *
 *     [{"id":2069,"type":"tracepoint","name":"sched_switch","tag":"560e29b6a168615e",…
 *      "run_time_ns":328625,"run_cnt":258,"loaded_at":1795240294,"uid":0,"bytes_xlated":248,…}]
 *
 * run_time_ns and run_cnt are printed once the program has been measured (null before),
 * recursion_misses only where there are some (0 else; bpftool 5.12), map_ids only where there are
 * maps, pids only by a bpftool with skeletons. Names come from whoever loaded the program. A row
 * without an id becomes a warning.
 */
export function parseBpftoolProg(text: string): Parsed<BpfPrograms> {
  const { rows, errors, warnings: unread } = bpftoolRows(text);
  const warnings: ParseWarning[] = [...unread];
  const programs = rows.flatMap((row) => {
    const id = numberOf(row, 'id');
    if (id !== null) return [program(row, id)];
    warnings.push(warn(1, 'a program without an id', JSON.stringify(row)));
    return [];
  });
  return { data: { programs, errors }, warnings };
}

function program(row: Row, id: number): BpfProgram {
  const mapIds = row['map_ids'];
  return {
    id,
    type: typeOf(row),
    name: textOf(row, 'name'),
    tag: textOf(row, 'tag'),
    loaded_at_s: numberOf(row, 'loaded_at'),
    uid: numberOf(row, 'uid'),
    bytes_xlated: numberOf(row, 'bytes_xlated'),
    bytes_jited: numberOf(row, 'bytes_jited'),
    bytes_memlock: numberOf(row, 'bytes_memlock'),
    map_ids: Array.isArray(mapIds) ? mapIds.filter((each) => Number.isSafeInteger(each)) : [],
    run_time_ns: u64Of(row, 'run_time_ns'),
    run_cnt: u64Of(row, 'run_cnt'),
    recursion_misses: u64Of(row, 'recursion_misses') ?? 0,
    pids: holdersOf(row),
  };
}
