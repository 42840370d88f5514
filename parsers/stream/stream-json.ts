import {
  cpuOf,
  parseStreamRecord,
  preempted,
  priority,
  type StreamEvent,
  stateLetter,
  wakes,
} from './stream.ts';
import { name } from './stream-fields.ts';

export type NumberedEvent = Readonly<{ seq: number } & StreamEvent>;

/** An event behind its number, without what is not known. */
export function numbered(seq: number, { type, ts, cpu, ...fields }: StreamEvent): NumberedEvent {
  const event: { [field: string]: unknown } & NumberedEvent = { seq, type, ts, cpu };
  for (const field in fields) if (fields[field] !== null) event[field] = fields[field];
  return event;
}

/**
 * A record as a line of JSON: `numbered` of what `parseStreamRecord` makes of it, or null where that
 * is null. Switches, wakeups and migrations, nearly all of a fast stream, are put together from the
 * text of their fields, which takes a fraction of the time of making an event and writing it.
 */
export function streamRecordJson(seq: number, record: string): string | null {
  const busy = busyRecord.exec(record);
  const quick = busy === null ? null : busyJson(seq, busy);
  if (quick !== null) return quick;
  const event = parseStreamRecord(record);
  return event === null ? null : JSON.stringify(numbered(seq, event));
}

/** Without the fields of dispatch queues; all numbers are such that a double holds them exactly. */
const busyRecord =
  /^e\t([1-8]?\d{1,15})\t(\d{1,15})\t(\d{1,15})\t(\d{1,15})\t(\d{1,15})\t(\d{1,15})\t(\d{1,15})\t(\d{1,15})\t([0-9a-f]{1,16}\t[0-9a-f]{1,16})\t([0-9a-f]{1,16}\t[0-9a-f]{1,16})$/;

type Fields = readonly string[];

function busyJson(seq: number, fields: Fields): string | null {
  const [, ts, told, aPid, aTgid, bPid, bTgid, x = '', y = '', aName = '', bName = ''] = fields;
  const meta = Number(told);
  const kind = Math.floor(meta / 2 ** 44);
  const begin = (type: string): string =>
    `{"seq":${seq},"type":"${type}","ts":${ts},"cpu":${cpuOf(meta)}`;
  if (kind === 1) {
    const state = (meta >>> 16) & 0xfff;
    const ran = x === '0' ? '' : `,"prev_used_slice_ns":${x}`;
    const waited = y === '0' ? '' : `,"next_wakeup_lat_us":${Number(y) / 1000}`;
    const prev = `${taskJson('prev_', aPid, aTgid, (meta >>> 8) & 0xff)}${commJson('prev_', aName)}`;
    const next = `${taskJson('next_', bPid, bTgid, meta & 0xff)}${commJson('next_', bName)}`;
    return `${begin('sched_switch')}${prev},"prev_state":"${stateLetter(state)}"${ran}${next}${waited},"preempt":${state === preempted}}`;
  }
  const task = `${taskJson('', bPid, bTgid, meta & 0xff)}${commJson('', bName)}`;
  if (kind === 5) return `${begin('sched_migrate_task')}${task},"orig_cpu":${x},"dest_cpu":${y}}`;
  if (kind !== 2 && kind !== 3 && kind !== 4) return null;
  const waker = `${taskJson('waker_', aPid, aTgid, null)}${commJson('waker_', aName)}`;
  return `${begin(wakes[kind])}${task},"target_cpu":${x}${waker}}`;
}

function taskJson(
  prefix: string,
  pid: string | undefined,
  tgid: string | undefined,
  bits: number | null,
): string {
  const group = tgid === '0' && pid !== '0' ? '' : `,"${prefix}tgid":${tgid}`;
  const prio = bits === null ? '' : `,"${prefix}prio":${priority(bits)}`;
  return `,"${prefix}pid":${pid}${group}${prio}`;
}

/** Names recur: a few hundred tasks make hundreds of thousands of records. */
const known = {
  '': new Map<string, string>(),
  prev_: new Map(),
  next_: new Map(),
  waker_: new Map(),
};
const most_known = 4096;

function commJson(prefix: keyof typeof known, words: string): string {
  const names: Map<string, string> = known[prefix];
  const before = names.get(words);
  if (before !== undefined) return before;
  const [first, second] = words.split('\t');
  const comm = name(first, second);
  const text = comm === null ? '' : `,"${prefix}comm":${JSON.stringify(comm)}`;
  if (names.size >= most_known) names.clear();
  names.set(words, text);
  return text;
}
