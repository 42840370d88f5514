import { untrusted } from '../untrusted.ts';

/** How a sched_ext scheduler ended. */
export type ScxExit = Readonly<{
  /** Seconds since boot, on the clock of the log. */
  at_s: number;
  /** The name of its ops, version included. */
  ops: string;
  /** Why, in the kernel's words: "unregistered from user space", "runnable task stall", … */
  kind: string;
  /** What went wrong; null for one that was unloaded. */
  message: string | null;
}>;

const disabled = /^\[\s*(\d+\.\d+)\] (?=.*\)$)sched_ext: BPF scheduler "(.*)" disabled \((.*)\)$/;

/**
 * The last end of a sched_ext scheduler in the kernel's log (`dmesg --kernel`), or null; `wanted`:
 * that of the scheduler with this name. The kernel says why it ended and, for one that it ejected,
 * what went wrong (scx_disable_workfn, kernel/sched/ext.c; 6.18 and 7.3):
 *
 *     [   54.862608] sched_ext: BPF scheduler "lab_failing" disabled (runnable task stall)
 *     [   54.863306] sched_ext: lab_failing: python3[213] failed to run for 1.140s
 */
export function parseScxLog(text: string, wanted?: string): ScxExit | null {
  const lines = text.split('\n');
  const index = lines.findLastIndex((line) => {
    const [, , name] = disabled.exec(line.trimEnd()) ?? [];
    return name !== undefined && (wanted === undefined || untrusted(name) === wanted);
  });
  const [, at = '', ops = '', kind = ''] = disabled.exec(lines[index]?.trimEnd() ?? '') ?? [];
  if (ops === '') return null;
  const start = `] sched_ext: ${ops}: `;
  const next = lines.slice(index + 1, index + 4).find((line) => line.includes(start));
  const message = next === undefined ? null : next.slice(next.indexOf(start) + start.length);
  return {
    at_s: Number(at),
    ops: untrusted(ops),
    kind: untrusted(kind),
    message: message === null ? null : untrusted(message),
  };
}
