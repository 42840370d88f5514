import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';

/** Of one thread. Null where this kernel does not print the line. */
export type PidSched = Readonly<{
  /** As the process wrote it. Pass it through `untrusted()` before it is shown. */
  comm: string;
  pid: number;
  threads: number;
  sum_exec_runtime_ms: number | null;
  vruntime_ms: number | null;
  /** Fair classes of EEVDF kernels only. */
  slice_ns: number | null;
  nr_migrations: number | null;
  nr_switches: number | null;
  nr_voluntary_switches: number | null;
  nr_involuntary_switches: number | null;
  /** With kernel.sched_schedstats = 1 only. */
  nr_wakeups: number | null;
  policy: number | null;
  /** Kernel priority: 0 to 99 real-time, 100 to 139 normal. */
  prio: number | null;
  /** Runs under a sched_ext scheduler. Kernels with CONFIG_SCHED_CLASS_EXT only. */
  ext_enabled: boolean | null;
}>;

const known: ReadonlySet<string> = new Set([
  'sum_exec_runtime',
  'vruntime',
  'slice',
  'nr_migrations',
  'nr_switches',
  'nr_voluntary_switches',
  'nr_involuntary_switches',
  'nr_wakeups',
  'policy',
  'prio',
  'ext.enabled',
]);

/**
 * /proc/PID/sched and /proc/PID/task/TID/sched (kernel/sched/debug.c, proc_sched_show_task).
 *
 *     se.sum_exec_runtime                          :             0.128532
 *     nr_voluntary_switches                        :                    0
 *
 * Times are milliseconds with six decimals, except `slice` (ns). The schedstat lines were called
 * `se.statistics.wait_sum`, lost that prefix in 5.16, and the runtime lines have a leading `se.`:
 * both prefixes are taken off. Before 6.15 the file needs CONFIG_SCHED_DEBUG.
 *
 * The heading `comm (pid, #threads: n)` prints comm raw, newlines included, so a process can put
 * whole `name : value` lines there. Values count only below the line of dashes, which is longer
 * than any comm.
 *
 * @throws ParseError when heading or line of dashes is missing.
 */
export function parsePidSched(text: string): Parsed<PidSched> {
  const dashes = text.indexOf(`\n${'-'.repeat(64)}`);
  const heading = /^(.*) \((\d{1,20}), #threads: (\d{1,20})\)$/su.exec(
    text.slice(0, Math.max(dashes, 0)),
  );
  if (heading === null) throw new ParseError('no heading above a line of dashes');
  const warnings: ParseWarning[] = [];
  const values = new Map<string, number>();
  const body = text.slice(dashes + 1).split('\n');
  const first_line = text.slice(0, dashes + 1).split('\n').length;
  for (const [index, line] of body.entries()) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line
      .slice(0, colon)
      .trim()
      .replace(/^se\.(?:statistics\.)?/u, '');
    if (!known.has(name)) continue;
    const value = line.slice(colon + 1).trim();
    if (/^-?\d+(?:\.\d+)?$/u.test(value)) values.set(name, Number(value));
    else warnings.push(warn(first_line + index, `${name} is not a number`, line));
  }
  const value = (name: string): number | null => values.get(name) ?? null;
  const ext = value('ext.enabled');
  const data = {
    comm: heading[1] ?? '',
    pid: Number(heading[2]),
    threads: Number(heading[3]),
    sum_exec_runtime_ms: value('sum_exec_runtime'),
    vruntime_ms: value('vruntime'),
    slice_ns: value('slice'),
    nr_migrations: value('nr_migrations'),
    nr_switches: value('nr_switches'),
    nr_voluntary_switches: value('nr_voluntary_switches'),
    nr_involuntary_switches: value('nr_involuntary_switches'),
    nr_wakeups: value('nr_wakeups'),
    policy: value('policy'),
    prio: value('prio'),
    ext_enabled: ext === null ? null : ext !== 0,
  };
  return { data, warnings };
}
