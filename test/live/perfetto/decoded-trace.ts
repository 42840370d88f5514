import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What decode.py prints. */
export type DecodedTrace = Readonly<{
  unknown_fields: number;
  first_flags: readonly number[];
  clocks: Readonly<Record<number, number>>;
  release: string | null;
  kinds: Readonly<Record<string, number>>;
  errors: Readonly<Record<string, number>>;
  /** By CPU. */
  slices: Readonly<Record<string, number>>;
  /** Switches by the time at which they happened, without those that stand for a gap. */
  seen_buckets: Readonly<Record<string, number>>;
  threads: Readonly<Record<string, readonly [number, string]>>;
  processes: Readonly<Record<string, readonly [number, string]>>;
  counters: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  track_slices: readonly (readonly [number, string, string | null])[];
  others: readonly Readonly<{ kind: string; cpu: number; ts: number; filename?: string }>[];
  /** How often one thread woke another, by "WAKER WAKEE". */
  wakings: Readonly<Record<string, number>>;
  /** Frames outermost first, each with its file. */
  stack_samples: readonly Readonly<{
    ts: number;
    cpu: number;
    pid: number;
    tid: number;
    mode: number;
    frames: readonly (readonly [string, string])[];
  }>[];
  rows: Readonly<
    Record<
      string,
      readonly Readonly<{ begin: number; end?: number; pid: number; prev: number; comm: string }>[]
    >
  >;
}>;

const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
/** Where install.sh puts it. */
export const decoder = join(cache, 'tracewright-perfetto/bin/python');

export async function decodeTrace(path: string, bucket_ns: number): Promise<DecodedTrace> {
  const script = join(import.meta.dirname, 'decode.py');
  const { stdout } = await promisify(execFile)(decoder, [script, path, String(bucket_ns)], {
    maxBuffer: 512 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}
