import { type FileslowOutput, parseFileslow } from '../../parsers/fileslow/fileslow.ts';
import type { Context } from '../context.ts';
import type { Rung } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';

export type SlowFilesQuery = Readonly<{
  duration_ms: number;
  /** Operations that took at least so long are told one by one. */
  least_ms: number;
  pid: number | null;
  /** Pipes, sockets and devices too. */
  all_files: boolean;
}>;

const calls = ['read', 'pread64', 'readv', 'write', 'pwrite64', 'writev', 'fsync', 'fdatasync'];
/** Positional parameters are 32 bits wide. */
const most_threshold_ns = 2 ** 32 - 1;
const output_bytes = 8 * 1024 * 1024;

/** Reads, writes and syncs of files, by system call: needs no kprobe, and sees no mmap. */
export function slowFilesRungs(
  ctx: Context,
  { duration_ms, least_ms, pid, all_files }: SlowFilesQuery,
): readonly Rung<FileslowOutput>[] {
  const least_ns = least_ms * 1e6;
  const rung = bpftraceRung(ctx, {
    script: 'fileslow',
    duration_ms,
    parameters: [Math.min(least_ns, most_threshold_ns), pid ?? 0, all_files ? 1 : 0],
    needs: {
      btf: true,
      pid: pid !== null,
      tracepoints: calls.map((call) => `syscalls:sys_enter_${call}`),
    },
    output_bytes,
    parse(text) {
      const output = parseFileslow(text);
      return { ...output, slow: output.slow.filter(({ took_ns }) => took_ns >= least_ns) };
    },
  });
  return [rung];
}
