import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { readNames, readStacks, type Stacks } from '../bpftrace-json/stack-keys.ts';

export type OncpuOutput = Readonly<{
  health: TraceHealth;
  samples: readonly (Stacks & Readonly<{ pid: number; count: number }>)[];
  names: ReadonlyMap<number, string>;
  /** Samples of idle CPUs. */
  idle: number;
}>;

/**
 * What scripts/bpftrace/oncpu.bt prints: samples by "pid,tid,kernel stack,user stack".
 *
 *     {"type": "map", "data": {"@user_samples": {"7391,7391,,\n    __strcmp_evex+37\n": 1}}}
 */
export function parseOncpu(text: string): OncpuOutput {
  const output = readBpftraceOutput(text);
  const samples = [...output.map('@user_samples')].flatMap(([key, count]) => {
    const [, pid, stacks = ''] = /^(\d+),\d+,(.*)$/s.exec(key) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), count, ...readStacks(stacks) }];
  });
  return {
    health: output.health,
    samples,
    names: readNames(output.map('@names')),
    idle: output.map('@idle').get('') ?? 0,
  };
}
