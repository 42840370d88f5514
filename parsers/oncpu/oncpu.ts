import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { readNames, readStacks, type Stacks } from '../bpftrace-json/stack-keys.ts';

export type OncpuOutput = Readonly<{
  health: TraceHealth;
  samples: readonly (Stacks & Readonly<{ pid: number; count: number }>)[];
  names: ReadonlyMap<number, string>;
  /** Whether stacks of programs are told. */
  user_stacks: boolean;
  /** Samples of idle CPUs. */
  idle: number;
}>;

/**
 * What scripts/bpftrace/oncpu.bt prints: samples by "pid,kernel stack", or with stacks of programs by
 * "pid,tid,kernel stack,user stack".
 *
 *     {"type": "map", "data": {"@user_samples": {"7391,7391,,\n    __strcmp_evex+37\n": 1}}}
 */
export function parseOncpu(text: string): OncpuOutput {
  const output = readBpftraceOutput(text);
  const with_user = output.map('@user_samples');
  const samples = with_user.size > 0 ? with_user : output.map('@samples');
  const key_start = with_user.size > 0 ? /^(\d{1,20}),\d+,(.*)$/s : /^(\d{1,20}),(.*)$/s;
  return {
    health: output.health,
    samples: [...samples].flatMap(([key, count]) => {
      const [, pid, stacks = ''] = key_start.exec(key) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), count, ...readStacks(stacks) }];
    }),
    user_stacks: with_user.size > 0,
    names: readNames(output.map('@names')),
    idle: output.map('@idle').get('') ?? 0,
  };
}
