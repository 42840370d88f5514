/** Waits of one thread in one place; frames innermost first, the kernel's before the program's. */
export type OffcputimeStack = Readonly<{
  comm: string;
  tid: number | null;
  frames: readonly string[];
  total_us: number;
}>;

const owner = /^ {4}- {16}(.*) \((\d{1,20})\)$/;
const frame = /^ {4}(\S.*)$/;
const sum = /^ {8}(\d{1,20})$/;
/** The tracer's own frames at the top of each stack. */
const tracer = /^(?:bpf_prog_|bpf_trace_run|__bpf_trace_|__traceiter_)/;

/**
 * What offcputime of libbpf-tools prints; checked with 0.26.
 *
 *         futex_do_wait
 *         -                python3 (28473)
 *             892151
 *
 * A frame, a name and a sum have indents of their own; lines that are none of these are skipped.
 */
export function parseOffcputime(text: string): readonly OffcputimeStack[] {
  const stacks: OffcputimeStack[] = [];
  let frames: string[] = [];
  let who: Readonly<{ comm: string; tid: number }> | null = null;
  for (const line of text.split('\n')) {
    const [, comm, tid] = owner.exec(line) ?? [];
    const [, total] = sum.exec(line) ?? [];
    const [, name] = frame.exec(line) ?? [];
    if (comm !== undefined) who = { comm, tid: Number(tid) };
    else if (total !== undefined && who) {
      stacks.push({ ...who, frames, total_us: Number(total) });
      frames = [];
      who = null;
    } else if (name !== undefined && !tracer.test(name)) frames.push(name);
  }
  return stacks;
}
