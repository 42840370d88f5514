import type { PbfWriter } from 'pbf';
import type { StreamEvent } from '../../../parsers/stream/stream.ts';

/** One event of a CPU, in the place that ftrace.proto has for it. */
export type FtraceEvent = Readonly<{
  ts: number;
  /** The thread that ran there. */
  pid: number;
  field: number;
  body: readonly Value[];
}>;

/** Field number and value; a null is left out. */
type Value = readonly [number, number | string | null];

/** Beyond TASK_REPORT_MAX: readers show it as a state that they do not know. */
const unknown_state = 0x200;
/** As sched_switch of 4.14 and later has them (include/trace/events/sched.h). */
const states: Readonly<Record<string, number>> = {
  R: 0,
  S: 1,
  D: 2,
  T: 4,
  t: 8,
  X: 0x10,
  Z: 0x20,
  P: 0x40,
  I: 0x80,
};
const preempted = 0x100;
/** Of the flags of clone(2), the one that says whether a thread joins the process of its parent. */
const clone_thread = 0x10000;

export const prevState = (event: StreamEvent): number =>
  event['preempt'] === true ? preempted : (states[String(event['prev_state'])] ?? unknown_state);

export const whole = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export function switchEvent(event: StreamEvent, ts: number): FtraceEvent {
  const prev = whole(event['prev_pid']);
  const body: readonly Value[] = [
    [1, commOf(event['prev_comm'], prev)],
    [2, prev],
    [3, whole(event['prev_prio'])],
    [4, prevState(event)],
    [5, commOf(event['next_comm'], whole(event['next_pid']))],
    [6, whole(event['next_pid'])],
    [7, whole(event['next_prio'])],
  ];
  return { ts, pid: prev, field: 4, body };
}

/** From the task that was seen last to the one that goes with this event. Why is not known. */
export function unseenSwitch(
  last: Readonly<{ pid: number; comm: string | null; prio: number }>,
  event: StreamEvent,
  ts: number,
): FtraceEvent {
  const next = whole(event['prev_pid']);
  const body: readonly Value[] = [
    [1, last.comm],
    [2, last.pid],
    [3, last.prio],
    [4, unknown_state],
    [5, commOf(event['prev_comm'], next)],
    [6, next],
    [7, whole(event['prev_prio'])],
  ];
  return { ts, pid: last.pid, field: 4, body };
}

/** The kernel keeps a task of each CPU by this name, of which the stream tells none. */
export const commOf = (comm: unknown, pid: number): string | null =>
  text(comm) ?? (pid === 0 ? 'swapper' : null);

const wake_fields: Readonly<Record<string, number>> = { sched_waking: 20, sched_wakeup_new: 114 };

function wakeEvent(event: StreamEvent, ts: number): FtraceEvent {
  const body: readonly Value[] = [
    [1, text(event['comm'])],
    [2, whole(event['pid'])],
    [3, whole(event['prio'])],
    [4, 1],
    [5, whole(event['target_cpu'])],
  ];
  return { ts, pid: whole(event['waker_pid']), field: wake_fields[event.type] ?? 20, body };
}

const vector = (event: StreamEvent): readonly Value[] => [[1, whole(event['softirq_nr'])]];

type Convert = (event: StreamEvent, ts: number) => readonly FtraceEvent[];

/** By type of event. What is not here has no place among the events of a CPU. */
const conversions: Readonly<Record<string, Convert>> = {
  sched_switch: (event, ts) => [switchEvent(event, ts)],
  sched_waking: (event, ts) => [wakeEvent(event, ts)],
  sched_wakeup_new: (event, ts) => [wakeEvent(event, ts)],
  sched_migrate_task: (event, ts) => [
    {
      ts,
      // Who moves it is not told.
      pid: 0,
      field: 491,
      body: [
        [1, text(event['comm'])],
        [2, whole(event['pid'])],
        [3, whole(event['prio'])],
        [4, whole(event['orig_cpu'])],
        [5, whole(event['dest_cpu'])],
      ],
    },
  ],
  softirq: (event, ts) => {
    const pid = whole(event['pid']);
    const begun = ts - whole(event['duration_ns']);
    return [
      { ts: begun, pid, field: 24, body: vector(event) },
      { ts, pid, field: 25, body: vector(event) },
    ];
  },
  fork: (event, ts) => [
    {
      ts,
      pid: whole(event['parent_pid']),
      field: 235,
      body: [
        [1, whole(event['child_pid'])],
        [2, text(event['child_comm'])],
        [3, event['child_tgid'] === event['child_pid'] ? 0 : clone_thread],
      ],
    },
  ],
  exec: (event, ts) => [
    {
      ts,
      pid: whole(event['pid']),
      field: 237,
      body: [
        [1, text(event['filename'])],
        [2, whole(event['pid'])],
        [3, whole(event['old_pid'])],
      ],
    },
  ],
  exit: (event, ts) => [
    {
      ts,
      pid: whole(event['pid']),
      field: 238,
      body: [
        [1, text(event['comm'])],
        [2, whole(event['pid'])],
        [3, typeof event['tgid'] === 'number' ? event['tgid'] : null],
        [4, whole(event['prio'])],
      ],
    },
  ],
};

export const ftraceEvents = (event: StreamEvent, ts: number): readonly FtraceEvent[] =>
  conversions[event.type]?.(event, ts) ?? [];

/** The frequency that a CPU was seen at, kHz. */
export const frequencyEvent = (ts: number, cpu: number, khz: number): FtraceEvent => ({
  ts,
  pid: 0,
  field: 11,
  body: [
    [1, khz],
    [2, cpu],
  ],
});

/** FtraceEvent of ftrace_event.proto. Readers are fastest with these three fields in this order. */
export function writeFtraceEvent({ ts, pid, field, body }: FtraceEvent, writer: PbfWriter): void {
  writer.writeVarintField(1, ts);
  writer.writeVarintField(2, pid);
  writer.writeMessage(field, writeBody, body);
}

function writeBody(body: readonly Value[], writer: PbfWriter): void {
  for (const [field, value] of body) {
    if (typeof value === 'number') writer.writeVarintField(field, value);
    else if (value !== null) writer.writeStringField(field, value);
  }
}
