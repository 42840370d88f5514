import { Refused } from './command.ts';

/** What the programs of scripts/bpftrace/stream/ are told, all of them the same. */
export type StreamSettings = Readonly<{
  /** Thread group of this server, which is left out. */
  own_tgid: number;
  /** Filters; null lets everything pass. */
  pid: number | null;
  tgid: number | null;
  cpu: number | null;
  /** Beginning of the name of a task. */
  comm: string | null;
  min_latency_us: number | null;
  /** One task in so many; 1 is all of them. */
  sample: number;
  /** Where things lie, in bytes; 0 where this kernel does not tell, and the thing is then not told. */
  offsets: StreamOffsets;
  /** One more than the highest number that a CPU can have. */
  cpus: number;
  /** How often a second each CPU is looked at for perf_sample. */
  samples_hz: number;
  alerts: AlertLimits;
}>;

export type StreamOffsets = Readonly<{
  /** In struct task_struct. */
  task_comm: number;
  task_exit_code: number;
  task_flags: number;
  /** In the records of tracepoints. `_loc`: where the record says where it is. */
  prev_comm: number;
  next_comm: number;
  wakeup_comm: number;
  migrate_comm: number;
  migrate_comm_loc: number;
  exec_filename_loc: number;
  ipi_cpumask_loc: number;
}>;

export type AlertLimits = Readonly<{
  /** A wait for a CPU, or in dispatch queues, that is too long. */
  latency_us: number;
  /** So many of them one after the other on one CPU make an alert. */
  in_a_row: number;
  /** More moves between CPUs than this of one process, within so long. */
  moves: number;
  moves_window_ms: number;
}>;

/** The kernel keeps names of 15 bytes. */
const longest_name_bytes = 15;
/** A ring of one more is kept for each process. */
const most_moves = 63;
/** Buffers that are looked at in one go, of which each CPU has two. */
const buffers_at_once = 4;
/** The turn of a buffer is 134 ms, and all are looked at in the last 100 of it. */
const look_window_ms = 80;

/** Positional parameters $1 to $31. */
export function streamParameters(settings: StreamSettings): readonly number[] {
  const { offsets, alerts, cpus } = settings;
  if (alerts.moves > most_moves) throw new Refused(`at most ${most_moves} moves are counted`);
  return [
    settings.own_tgid,
    settings.pid ?? 0,
    settings.tgid ?? 0,
    settings.cpu === null ? 0 : settings.cpu + 1,
    settings.sample,
    settings.min_latency_us ?? 0,
    ...nameWords(settings.comm ?? ''),
    offsets.task_comm,
    offsets.task_exit_code,
    offsets.prev_comm,
    offsets.next_comm,
    offsets.wakeup_comm,
    offsets.migrate_comm,
    offsets.migrate_comm_loc,
    cpus,
    lookInterval(cpus),
    settings.samples_hz,
    offsets.exec_filename_loc,
    offsets.ipi_cpumask_loc,
    alerts.latency_us,
    alerts.in_a_row,
    alerts.moves,
    alerts.moves_window_ms,
    offsets.task_flags,
  ];
}

/** Four words that a name has to begin with, and four that say which bytes of these count. */
function nameWords(beginning: string): readonly number[] {
  const bytes = new TextEncoder().encode(beginning);
  if (bytes.length > longest_name_bytes || bytes.includes(0)) {
    throw new Refused(`a name has at most ${longest_name_bytes} bytes, none of them zero`);
  }
  const words = new DataView(new ArrayBuffer(32));
  for (const [at, byte] of bytes.entries()) {
    words.setUint8(at, byte);
    words.setUint8(16 + at, 0xff);
  }
  return Array.from({ length: 8 }, (_, index) => words.getUint32(4 * index, true));
}

/** Milliseconds between two looks, so that each buffer is looked at in its time where CPUs are few. */
function lookInterval(cpus: number): number {
  const looks = Math.ceil((2 * cpus) / buffers_at_once);
  return Math.max(3, Math.min(25, Math.floor(look_window_ms / looks)));
}
