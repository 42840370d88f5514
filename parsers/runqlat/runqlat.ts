import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { addDistributions, type Distribution, distributionOf } from '../distribution.ts';

/** Waits for a CPU. Buckets are in the unit that the program was given. */
export type RunqlatOutput = Readonly<{
  health: TraceHealth;
  all: Distribution;
  /** By process, or by PID namespace: its number, and a name of a thread. */
  groups: readonly RunqlatGroup[];
}>;

export type RunqlatGroup = Readonly<{ id: number; comm: string | null; waits: Distribution }>;

const all = { hist: '@wait', stats: '@wait_ns', max: '@max_ns' };
const each = { hist: '@group_wait', stats: '@group_wait_ns', max: '@group_max_ns' };

/**
 * What scripts/bpftrace/runqlat.bt and runqlat-pidns.bt print. Threads of one process have names of
 * their own: they are put together under the name with the most waits.
 *
 *     {"type": "hist", "data": {"@wait": [{"min": 1, "max": 1, "count": 61}]}}
 *     {"type": "stats", "data": {"@group_wait_ns": {"9289,bash": {"count": 3, "average": 4242, …}}}}
 */
export function parseRunqlat(text: string): RunqlatOutput {
  const output = readBpftraceOutput(text);
  const groups = new Map<number, RunqlatGroup & { most: number }>();
  for (const key of output.stats(each.stats).keys()) {
    const [, id = '', comm] = /^(\d{1,20})(?:,(.*))?$/s.exec(key) ?? [];
    const waits = distributionOf(output, each, key);
    const known = groups.get(Number(id));
    const leads = known === undefined || waits.count > known.most;
    groups.set(Number(id), {
      id: Number(id),
      comm: leads ? (comm ?? null) : known.comm,
      most: leads ? waits.count : known.most,
      waits: known ? addDistributions(known.waits, waits) : waits,
    });
  }
  return {
    health: output.health,
    all: distributionOf(output, all),
    groups: [...groups.values()].map(({ most: _, ...group }) => group),
  };
}
