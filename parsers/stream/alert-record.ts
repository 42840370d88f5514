import { group, instant, name, whole } from './stream-fields.ts';

const rules = ['wakeup_latency', 'dsq_latency', 'migrations'] as const;

/**
 * What the kernel programs find conspicuous (scripts/bpftrace/stream/alert-*.bt):
 *
 *     a TS CPU RULE COUNT VALUE_NS LIMIT_NS FIRST_TS PID TGID NAME0 NAME1
 *     a	14969602787851	0	1	15	10636129	1000000	14969600028723	11737	11737	7379732d756d6571	3638782d6d6574
 *
 * RULE 1: of COUNT tasks in a row that the CPU switched to, each had waited longer than LIMIT_NS since
 * its wakeup, this one longest, VALUE_NS. 2: the same of waits in dispatch queues. 3: the threads of
 * the process were moved COUNT times between CPUs within VALUE_NS, where LIMIT_NS was the window.
 */
export function alertFields(fields: readonly string[]): Readonly<Record<string, unknown>> | null {
  const all = fields.slice(2, 10).map((field, at) => (at === 5 ? instant(field) : whole(field)));
  if (fields.length !== 12 || all.includes(null)) return null;
  const [cpu, number, count, value, limit, since_ts, pid, tgid] = all.map(Number);
  const rule = rules[(number ?? 0) - 1];
  if (rule === undefined || pid === undefined || tgid === undefined) return null;
  if (value === undefined || limit === undefined) return null;
  const comm = name(fields[10], fields[11]);
  const who = `${comm ?? 'a task'} (pid ${pid})`;
  const about = { rule, count, since_ts, pid, tgid: group(tgid, pid), comm };
  if (rule === 'migrations') {
    const [span_ms, window_ms] = [value / 1e6, limit / 1e6];
    const message = `The threads of the process of ${who} were moved between CPUs ${count} times within ${Math.round(span_ms)} ms.`;
    return { ...about, span_ms, window_ms, message };
  }
  const [max_latency_us, threshold_us] = [value / 1000, limit / 1000];
  const where = rule === 'dsq_latency' ? 'in a dispatch queue' : 'after its wakeup';
  const message = `${count} tasks in a row waited longer than ${threshold_us} us for CPU ${cpu}, each ${where}; ${who} longest, ${Math.round(max_latency_us)} us.`;
  return { ...about, max_latency_us, threshold_us, message };
}
