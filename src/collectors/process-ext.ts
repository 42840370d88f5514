import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import { type ExtTask, parseTaskExt } from '../../parsers/task-ext/task-ext.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { tracingObstacle } from './bpftrace-tracer.ts';
import { schedExtState } from './sched-ext.ts';

/** By pid, of main threads; or why it cannot be told. */
export type ExtTasks = ReadonlyMap<number, ExtTask> | Unavailable;

const what = 'dsq_vtime, ext_slice_ns, dsq_id';

export const extOf = (tasks: ExtTasks | null, pid: number): ExtTask | undefined =>
  tasks && 'get' in tasks ? tasks.get(pid) : undefined;

/** What sched_ext keeps of a process (0: of all), from one walk of bpftrace over the tasks. */
export async function readExtTasks(ctx: Context, pid: number, call: Call): Promise<ExtTasks> {
  const { active, reason, fix } = schedExtState(ctx);
  if (!active) return { what, reason: reason ?? '', fix };
  const obstacle = tracingObstacle(ctx, what);
  if (obstacle) return obstacle;
  const program = { kind: 'whole', name: 'task-ext' } as const;
  const limits = { duration_ms: 10_000, output_bytes: 16 * 1024 * 1024 };
  const command = bpftraceScript({ program, parameters: [pid], format: 'text', ...limits }, ctx);
  try {
    call.progress('reading what sched_ext keeps of the tasks');
    const { stdout, stderr, exit_code } = await ctx.run(command, { signal: call.signal });
    if (exit_code === 0) return parseTaskExt(stdout);
    const line = stderr.split('\n').find((each) => /error/i.test(each)) ?? stderr;
    return { what, reason: `bpftrace: ${untrusted(line, 300)}`, fix: 'tracewright doctor' };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { what, reason: message, fix: suggestion };
  }
}
