import { dsqId } from '../dsq/dsq-id.ts';
import { isRare, rareRecords } from './rare-records.ts';
import { taskWords } from './short-records.ts';
import { group, instant, name, whole } from './stream-fields.ts';

/** Every type of event that events://stream can hold. */
export const eventTypes = [
  'sched_switch',
  'sched_wakeup',
  'sched_waking',
  'sched_wakeup_new',
  'sched_migrate_task',
  'fork',
  'exec',
  'exit',
  'wait',
  'softirq',
  'ipi',
  'cpuhp_enter',
  'cpuhp_exit',
  'hw_pressure',
  'kprobe',
  'perf_sample',
  'sched_hang',
  'sched_cpu_perf_set',
  'mango_app',
  'trace_started',
  'trace_stopped',
  'system_stat',
  'sched_stats',
  'scheduler_load',
  'scheduler_unload',
  'dsq_insert',
  'alert',
] as const;

export type EventType = (typeof eventTypes)[number];

/** `ts` is nanoseconds of CLOCK_MONOTONIC. What the kernel did not tell is null. */
export type StreamEvent = Readonly<
  { type: EventType; ts: number | null; cpu: number | null } & Record<string, unknown>
>;

/**
 * One record of a program that allowlist/stream-program.ts composed of scripts/bpftrace/stream/: its
 * first line, and those that begin with white space behind it. Fields are parted by tabs, the first
 * one is a letter. The busiest events share one form:
 *
 *     e TS META A_PID A_TGID B_PID B_TGID X Y A_NAME0 A_NAME1 B_NAME0 B_NAME1
 *
 *     e	14966278814403	17592186143352	314	314	2718	2718	26882	4711	6d72	0	68736162	0
 *     e	14966278840021	35184640524408	0	0	314	314	1	0	2f72657070617773	30	6d72	0
 *
 * META has the kind of event from bit 44 on, the CPU from 28, the state of a task that goes from 16,
 * and the priorities of A from 8 and of B from 0. A is the task that goes, wakes or moves the other,
 * B the one that comes, is woken or moved. X and Y: how long A ran and how long B waited since its
 * wakeup in ns, the CPU it is woken for, or the CPUs it is moved from and to. Under a sched_ext
 * scheduler a switch has seven fields more, for the dispatch queues of both. Most of them come in the
 * short form of short-records.ts, which is to be expanded before. All others are in rare-records.ts.
 *
 * Names are numbers here, so none can break a line. A record that is none of these, or torn, is null.
 */
export function parseStreamRecord(record: string): StreamEvent | null {
  const end = record.indexOf('\n');
  const fields = (end < 0 ? record : record.slice(0, end)).split('\t');
  if (fields[0] === 'e') return parseBusy(fields);
  const [letter] = fields;
  const ts = instant(fields[1]);
  const cpu = whole(fields[2]);
  if (!isRare(letter) || ts === null || cpu === null) return null;
  const { type, parse } = rareRecords[letter];
  const rest = parse(fields, end < 0 ? '' : record.slice(end + 1));
  return rest === null ? null : { type, ts, cpu, ...rest };
}

const narrow = 13;
const with_queues = 20;
export const wakes = { 2: 'sched_waking', 3: 'sched_wakeup', 4: 'sched_wakeup_new' } as const;

type Numbers = Readonly<
  Record<'ts' | 'meta' | 'aPid' | 'aTgid' | 'bPid' | 'bTgid' | 'x' | 'y', number>
>;

function parseBusy(fields: readonly string[]): StreamEvent | null {
  if (fields.length !== narrow && fields.length !== with_queues) return null;
  const ts = instant(fields[1]);
  const all = fields.slice(2, 9).map(Number);
  const [meta = 0, aPid = 0, aTgid = 0, bPid = 0, bTgid = 0, x = 0, y = 0] = all;
  if (ts === null || !all.every(Number.isSafeInteger)) return null;
  const numbers = { ts, meta, aPid, aTgid, bPid, bTgid, x, y };
  const kind = Math.floor(meta / 2 ** 44);
  if (kind === 1) return switchEvent(numbers, fields);
  const task = {
    ts,
    cpu: cpuOf(meta),
    pid: bPid,
    tgid: group(bTgid, bPid),
    prio: priority(meta & 0xff),
    comm: name(fields[11], fields[12]),
  };
  if (kind === 5) return { type: 'sched_migrate_task', ...task, orig_cpu: x, dest_cpu: y };
  if (kind !== 2 && kind !== 3 && kind !== 4) return null;
  return {
    type: wakes[kind],
    ...task,
    target_cpu: x,
    waker_pid: aPid,
    waker_tgid: group(aTgid, aPid),
    waker_comm: name(fields[9], fields[10]),
  };
}

function switchEvent(numbers: Numbers, fields: readonly string[]): StreamEvent {
  const { ts, meta, aPid, aTgid, bPid, bTgid, x, y } = numbers;
  const state = (meta >>> 16) & 0xfff;
  return {
    type: 'sched_switch',
    ts,
    cpu: cpuOf(meta),
    prev_pid: aPid,
    prev_tgid: group(aTgid, aPid),
    prev_prio: priority((meta >>> 8) & 0xff),
    prev_comm: name(fields[9], fields[10]),
    prev_layer_id: null,
    prev_state: stateLetter(state),
    prev_used_slice_ns: x === 0 ? null : x,
    next_pid: bPid,
    next_tgid: group(bTgid, bPid),
    next_prio: priority(meta & 0xff),
    next_comm: name(fields[11], fields[12]),
    next_layer_id: null,
    next_wakeup_lat_us: y === 0 ? null : y / 1000,
    preempt: state === preempted,
    ...(fields.length === with_queues ? queues(fields) : {}),
  };
}

export const cpuOf = (meta: number): number => Math.floor(meta / 2 ** 28) & 0xffff;

/** Eight bits; deadline tasks have -1, which is all of them. */
export const priority = (bits: number): number => (bits === 0xff ? -1 : bits);

/** TASK_REPORT_MAX: taken off the CPU while it could go on. */
export const preempted = 0x100;
const letters = ['R', 'S', 'D', 'T', 't', 'X', 'Z', 'P', 'I'];

/** As ps shows it: the highest of the bits that sched_switch reports. */
export const stateLetter = (state: number): string =>
  state === preempted ? 'R' : (letters[32 - Math.clz32(state)] ?? '?');

/** Only where a scheduler has queues. The ids are hexadecimal; null is a task that was in none. */
function queues(fields: readonly string[]): Record<string, unknown> {
  const [prevDsq, prevSlice, nextDsq, waited, depth, vtime, nextSlice] = fields.slice(narrow);
  const next = queue(nextDsq);
  const waited_ns = whole(waited);
  return {
    prev_dsq_id: queue(prevDsq),
    prev_slice_ns: whole(prevSlice),
    next_dsq_id: next,
    next_dsq_lat_us: next === null || waited_ns === null ? null : waited_ns / 1000,
    next_dsq_nr_queued: next === null ? null : whole(depth),
    next_dsq_vtime: next === null ? null : whole(vtime),
    next_slice_ns: whole(nextSlice),
  };
}

const queue = (text: string | undefined): string | null =>
  text === undefined || !/^[0-9a-f]{1,16}$/.test(text) || text === '0'
    ? null
    : dsqId(`0x${text}`).id;

/** Of a whole output, for a file that came from another machine: its events, and what was no record. */
export function parseStream(text: string) {
  const records: string[] = [];
  const tasks = taskWords();
  for (const line of text.split('\n')) {
    if (tasks.learn(line)) continue;
    if (/^[a-z]/.test(line)) records.push(line);
    else if (/^\s/.test(line) && records.length > 0) records.push(`${records.pop()}\n${line}`);
  }
  const events = records.map((record) => parseStreamRecord(tasks.expand(record)));
  const unread = records.filter((_, index) => events[index] === null);
  return { events: events.filter((event) => event !== null), unread };
}
