import { cpuOf, preempted, priority, stateLetter, wakes } from './stream.ts';
import { name } from './stream-fields.ts';

/**
 * The JSON of switches, wakeups and migrations, nearly all of a fast stream, around what differs
 * from one of them to the next: the number of the record and three numbers of it. The line is
 *
 *     {"seq":SEQ head TS afterTime X afterX Y afterY
 *
 * where X and Y may be left out.
 */
export type BusyForm = Readonly<{
  head: string;
  afterTime: string;
  afterX: string;
  afterY: string;
  x: 'number' | 'none';
  y: 'number' | 'us of ns' | 'none';
}>;

/** What a record says beside its time, X and Y: META A_PID A_TGID B_PID B_TGID, and two names. */
export type BusyFields = Readonly<{
  numbers: readonly string[];
  /** Two words, with a tab between them. */
  aName: string;
  bName: string;
}>;

/** Null where META names no kind of record. Of a switch an X or Y of 0 is not known. */
export function busyForm(fields: BusyFields, hasX: boolean, hasY: boolean): BusyForm | null {
  const [told, aPid, aTgid, bPid, bTgid] = fields.numbers;
  const meta = Number(told);
  const kind = Math.floor(meta / 2 ** 44);
  const begins = (type: string) => ({ head: `,"type":"${type}","ts":` });
  const cpu = `,"cpu":${cpuOf(meta)}`;
  const bTask = (prefix: keyof typeof known): string =>
    `${taskJson(prefix, bPid, bTgid, meta & 0xff)}${commJson(prefix, fields.bName)}`;
  if (kind === 1) {
    const state = (meta >>> 16) & 0xfff;
    const bits = (meta >>> 8) & 0xff;
    const prev = `${taskJson('prev_', aPid, aTgid, bits)}${commJson('prev_', fields.aName)}`;
    return {
      ...begins('sched_switch'),
      afterTime: `${cpu}${prev},"prev_state":"${stateLetter(state)}"${hasX ? ',"prev_used_slice_ns":' : ''}`,
      afterX: `${bTask('next_')}${hasY ? ',"next_wakeup_lat_us":' : ''}`,
      afterY: `,"preempt":${state === preempted}}`,
      x: hasX ? 'number' : 'none',
      y: hasY ? 'us of ns' : 'none',
    };
  }
  if (kind === 5) {
    return {
      ...begins('sched_migrate_task'),
      afterTime: `${cpu}${bTask('')},"orig_cpu":`,
      afterX: ',"dest_cpu":',
      afterY: '}',
      x: 'number',
      y: 'number',
    };
  }
  if (kind !== 2 && kind !== 3 && kind !== 4) return null;
  const waker = `${taskJson('waker_', aPid, aTgid, null)}${commJson('waker_', fields.aName)}`;
  return {
    ...begins(wakes[kind]),
    afterTime: `${cpu}${bTask('')},"target_cpu":`,
    afterX: `${waker}}`,
    afterY: '',
    x: 'number',
    y: 'none',
  };
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
