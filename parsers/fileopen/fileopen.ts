import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { untrusted } from '../untrusted.ts';

type Row = Readonly<{
  /** CLOCK_MONOTONIC. */
  at_ns: number;
  pid: number;
  comm: string;
  path: string;
}>;

/** `error` is the error number of a failed one, else 0 and `fd` is what it gave. */
export type FileOpen = Row & Readonly<{ fd: number | null; error: number }>;

/** A file that was created and removed while we watched. */
export type FileLife = Row & Readonly<{ age_ns: number }>;

export type FileopenOutput = Readonly<{
  health: TraceHealth;
  /** In the order in which they happened, as are `lives`: those of several CPUs are printed in any. */
  opens: readonly FileOpen[];
  lives: readonly FileLife[];
  counts: Readonly<Record<'opens' | 'failed' | 'created' | 'removed', number>>;
}>;

const row = /^([OL]) (\d{1,20}) (\d{1,20}) (-?\d{1,20}) ([^|]*)\|(.*)$/s;

/**
 * What scripts/bpftrace/fileopen.bt prints.
 *
 *     {"type": "printf", "data": "O 16018569121479 18344 -2 cat|/nonexistent/x"}
 *     {"type": "printf", "data": "L 16018560694475 18339 4219964 rm|/var/tmp/life1"}
 */
export function parseFileopen(text: string): FileopenOutput {
  const output = readBpftraceOutput(text);
  const opens: FileOpen[] = [];
  const lives: FileLife[] = [];
  for (const line of output.printed) {
    const [, kind, at, pid, value, comm, path] = row.exec(line) ?? [];
    if (path === undefined) continue;
    const common = {
      at_ns: Number(at),
      pid: Number(pid),
      comm: untrusted(comm ?? '', 64),
      path: untrusted(path, 256),
    };
    const number = Number(value);
    if (kind === 'L') lives.push({ ...common, age_ns: number });
    else opens.push({ ...common, fd: number < 0 ? null : number, error: Math.max(0, -number) });
  }
  const count = (name: string): number => output.map(name).get('') ?? 0;
  return {
    health: output.health,
    opens: opens.sort(byTime),
    lives: lives.sort(byTime),
    counts: {
      opens: count('@opens'),
      failed: count('@failed'),
      created: count('@created'),
      removed: count('@removed'),
    },
  };
}

const byTime = (one: Row, other: Row): number => one.at_ns - other.at_ns;
