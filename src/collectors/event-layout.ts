import type { StreamOffsets } from '../../allowlist/stream-parameters.ts';
import { parseBtfMembers, parseBtfTracepoints } from '../../parsers/btf/btf-members.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { Context } from '../context.ts';
import { bpftraceHas } from './bpftrace-version.ts';
import { kernelFacts } from './kernel-facts.ts';

/** Where this kernel keeps what the event stream reads, and how it may be probed. */
export type EventLayout = Readonly<{
  offsets: StreamOffsets;
  /** Whether tasks can be read at a raw tracepoint, which tells the thread group of each. */
  raw: boolean;
  /** Whether a program may read in the record of a tracepoint. */
  showsRecords: boolean;
  /** Names of its tracepoints; null where the kernel does not describe them. */
  tracepoints: ReadonlySet<string> | null;
}>;

const vmlinux = '/sys/kernel/btf/vmlinux';
const largest_btf_bytes = 64 * 1024 * 1024;

const wanted = {
  task_struct: ['comm', 'exit_code', 'exit_state', 'flags', '__state'],
  thread_info: ['cpu'],
  trace_event_raw_sched_switch: ['prev_comm', 'next_comm'],
  trace_event_raw_sched_wakeup_template: ['comm'],
  trace_event_raw_sched_migrate_task: ['comm', '__data_loc_comm'],
  trace_event_raw_sched_process_exec: ['__data_loc_filename'],
  trace_event_raw_ipi_send_cpumask: ['__data_loc_cpumask'],
} as const;

const known = new WeakMap<Context, Promise<EventLayout>>();

/** Read once: it needs another kernel to change. */
export const eventLayout = (ctx: Context): Promise<EventLayout> => known.get(ctx) ?? read(ctx);

function read(ctx: Context): Promise<EventLayout> {
  const reading = readLayout(ctx);
  known.set(ctx, reading);
  reading.catch(() => known.delete(ctx));
  return reading;
}

async function readLayout(ctx: Context): Promise<EventLayout> {
  const bytes = ctx.files.bytes(vmlinux, largest_btf_bytes);
  const types = bytes ? readTypes(bytes) : null;
  const at = (struct: keyof typeof wanted, member: string): number =>
    types?.members.get(struct)?.get(member) ?? 0;
  const has = (struct: keyof typeof wanted, member: string): boolean =>
    types?.members.get(struct)?.has(member) ?? false;
  const showsRecords = !(await bpftraceHas(ctx, 19));
  const inRecord = (struct: keyof typeof wanted, member: string): number =>
    showsRecords ? at(struct, member) : 0;
  const isNew = has('task_struct', '__state') && has('thread_info', 'cpu') && tellsState(ctx);
  return {
    offsets: {
      task_comm: at('task_struct', 'comm'),
      task_exit_code: at('task_struct', 'exit_code'),
      task_flags: at('task_struct', 'flags'),
      prev_comm: inRecord('trace_event_raw_sched_switch', 'prev_comm'),
      next_comm: inRecord('trace_event_raw_sched_switch', 'next_comm'),
      wakeup_comm: inRecord('trace_event_raw_sched_wakeup_template', 'comm'),
      migrate_comm: inRecord('trace_event_raw_sched_migrate_task', 'comm'),
      migrate_comm_loc: inRecord('trace_event_raw_sched_migrate_task', '__data_loc_comm'),
      exec_filename_loc: inRecord('trace_event_raw_sched_process_exec', '__data_loc_filename'),
      ipi_cpumask_loc: inRecord('trace_event_raw_ipi_send_cpumask', '__data_loc_cpumask'),
    },
    raw: isNew && has('task_struct', 'exit_state') && !showsRecords,
    showsRecords,
    tracepoints: types?.tracepoints ?? null,
  };
}

function readTypes(bytes: Uint8Array) {
  try {
    return { members: parseBtfMembers(bytes, wanted), tracepoints: parseBtfTracepoints(bytes) };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** sched_switch has had the state of the task that goes as an argument since 5.18. */
function tellsState(ctx: Context): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernelFacts(ctx).release.value ?? '') ?? [];
  return Number(major) > 5 || (Number(major) === 5 && Number(minor) >= 18);
}
