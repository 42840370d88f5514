import { dsqId } from '../dsq/dsq-id.ts';
import { untrusted } from '../untrusted.ts';
import { alertFields } from './alert-record.ts';
import { hex, instant, name, whole, wordsText } from './stream-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** `more` are the lines behind the first one. Null where the record is torn. */
type Parse = (fields: readonly string[], more: string) => Fields | null;

/**
 * Records by their letter, as the header of each program in scripts/bpftrace/stream/ gives their
 * fields; the second one is the time, the third one the CPU.
 */
export const rareRecords = {
  f: { type: 'fork', parse: fork },
  x: { type: 'exec', parse: exec },
  q: { type: 'exit', parse: exit },
  w: { type: 'wait', parse: wait },
  i: { type: 'softirq', parse: softirq },
  j: { type: 'ipi', parse: ipi },
  k: { type: 'ipi', parse: ipiMask },
  b: { type: 'cpuhp_enter', parse: cpuhpEnter },
  c: { type: 'cpuhp_exit', parse: cpuhpExit },
  t: { type: 'hw_pressure', parse: hwPressure },
  g: { type: 'sched_hang', parse: hang },
  p: { type: 'perf_sample', parse: perfSample },
  l: { type: 'kprobe', parse: kprobe },
  y: { type: 'sched_cpu_perf_set', parse: cpuPerf },
  n: { type: 'dsq_insert', parse: dsqInsert },
  a: { type: 'alert', parse: alertFields },
} as const satisfies Readonly<Record<string, Readonly<{ type: string; parse: Parse }>>>;

export type RareLetter = keyof typeof rareRecords;

export const isRare = (letter: string | undefined): letter is RareLetter =>
  letter !== undefined && Object.hasOwn(rareRecords, letter);

/** The numbers from one field to another; null where one is none. */
function numbers(fields: readonly string[], from: number, count: number): readonly number[] | null {
  const all = fields.slice(from, from + count).map(whole);
  const known = all.filter((each) => each !== null);
  return known.length === count ? known : null;
}

/** f TS CPU PARENT_PID PARENT_TGID CHILD_PID CHILD_TGID NAME0 NAME1: the child has the name of its parent. */
function fork(fields: readonly string[]): Fields | null {
  const [parent_pid = 0, parent_tgid = 0, child_pid = 0, child_tgid = 0] =
    numbers(fields, 3, 4) ?? [];
  if (fields.length !== 9 || child_pid === 0) return null;
  const comm = name(fields[7], fields[8]);
  return {
    parent_pid,
    parent_tgid,
    parent_comm: comm,
    parent_layer_id: null,
    child_pid,
    child_tgid,
    child_comm: comm,
    child_layer_id: null,
  };
}

/** x TS CPU OLD_PID PID TGID NAME0 NAME1 FILE0 … FILE7 */
function exec(fields: readonly string[]): Fields | null {
  const [old_pid = 0, pid = 0, tgid = 0] = numbers(fields, 3, 3) ?? [];
  if (fields.length !== 16 || pid === 0) return null;
  const file = wordsText(fields.slice(8));
  const isKnown = file !== null && file.text !== '';
  return {
    old_pid,
    pid,
    tgid,
    comm: name(fields[6], fields[7]),
    filename: isKnown ? untrusted(file.text) : null,
    // The program takes 64 bytes of it.
    ...(isKnown && file.isCut ? { filename_truncated: true } : {}),
    layer_id: null,
  };
}

/** q TS CPU PID TGID PRIO STATUS NAME0 NAME1: STATUS is that of wait(2) plus one, 0 is not known. */
function exit(fields: readonly string[]): Fields | null {
  const [pid = 0, tgid = 0, prio = 0, told = 0] = numbers(fields, 3, 4) ?? [];
  if (fields.length !== 9 || pid === 0) return null;
  const status = told === 0 ? null : told - 1;
  const signal = status === null ? 0 : status & 0x7f;
  return {
    pid,
    tgid,
    prio,
    comm: name(fields[7], fields[8]),
    exit_code: status === null || signal !== 0 ? null : (status >> 8) & 0xff,
    exit_signal: signal === 0 ? null : signal,
  };
}

/** w TS CPU PID TGID PRIO WAIT_PID NAME0 NAME1: 0 waits for any child. */
function wait(fields: readonly string[]): Fields | null {
  const [pid = 0, tgid = 0, prio = 0, child = 0] = numbers(fields, 3, 4) ?? [];
  if (fields.length !== 9 || pid === 0) return null;
  const wait_pid = child === 0 ? null : child;
  return { pid, tgid, prio, comm: name(fields[7], fields[8]), wait_pid };
}

/** Vectors of include/linux/interrupt.h. */
const softirqs = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

/** i TS CPU PID TGID VECTOR ENTRY_TS NAME0 NAME1 */
function softirq(fields: readonly string[]): Fields | null {
  const exit_ts = instant(fields[1]);
  const entry_ts = instant(fields[6]);
  const all = numbers(fields, 3, 3);
  if (fields.length !== 9 || exit_ts === null || entry_ts === null || all === null) return null;
  const [pid = 0, tgid = 0, softirq_nr = 0] = all;
  return {
    pid,
    tgid,
    comm: name(fields[7], fields[8]),
    softirq_nr,
    softirq_name: softirqs[softirq_nr] ?? null,
    entry_ts,
    exit_ts,
    duration_ns: exit_ts - entry_ts,
  };
}

/** A function of the kernel; bpftrace prints 0 for none, and the address of one that it cannot name. */
const symbol = (text: string | undefined): string | null =>
  text === undefined || text === '' || /^(?:0x)?0*$/.test(text) ? null : untrusted(text, 128);

/** j TS CPU TARGET_CPU PID TGID NAME0 NAME1 FUNCTION */
function ipi(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 3);
  if (fields.length !== 9 || all === null) return null;
  const [target_cpu, pid, tgid] = all;
  const comm = name(fields[6], fields[7]);
  return { target_cpu, pid, tgid, comm, callback: symbol(fields[8]) };
}

const mask_words = 4;
const word_bytes = 8;

/** k TS CPU PID TGID BYTES MASK0 … MASK3 NAME0 NAME1 FUNCTION: the CPUs as bits, BYTES long. */
function ipiMask(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 2);
  const bytes = Number.parseInt(fields[5] ?? '', 16);
  if (fields.length !== 13 || all === null || Number.isNaN(bytes)) return null;
  const isWhole = bytes > 0 && bytes <= mask_words * word_bytes;
  const target_cpus = isWhole ? cpusOf(fields.slice(6, 6 + mask_words)) : null;
  const [only = null, more] = target_cpus ?? [];
  const [pid, tgid] = all;
  const comm = name(fields[10], fields[11]);
  const target_cpu = more === undefined ? only : null;
  return { target_cpu, target_cpus, pid, tgid, comm, callback: symbol(fields[12]) };
}

function cpusOf(words: readonly string[]): readonly number[] {
  return words.flatMap((word, at) => {
    const bits = BigInt(`0x${word}`);
    const set = Array.from({ length: 64 }, (_, bit) => bit).filter(
      (bit) => ((bits >> BigInt(bit)) & 1n) === 1n,
    );
    return set.map((bit) => 64 * at + bit);
  });
}

/** b TS CPU TARGET STEP PID ON_CPU FUNCTION */
function cpuhpEnter(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 4);
  if (fields.length !== 8 || all === null) return null;
  const [target, state, pid, on_cpu] = all;
  return { target, state, pid, on_cpu, function: symbol(fields[7]) };
}

/** c TS CPU STATE STEP PID ON_CPU RESULT */
function cpuhpExit(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 5);
  if (fields.length !== 8 || all === null) return null;
  const [state, idx, pid, on_cpu, ret] = all;
  return { state, idx, ret, pid, on_cpu };
}

/** t TS CPU PRESSURE */
function hwPressure(fields: readonly string[]): Fields | null {
  const hw_pressure = whole(fields[3]);
  return fields.length !== 4 || hw_pressure === null ? null : { hw_pressure };
}

/** g TS CPU PID NAME, in which bpftrace writes control characters as \xHH, and the zeroes behind it. */
function hang(fields: readonly string[]): Fields | null {
  const pid = whole(fields[3]);
  const [comm = ''] = (fields[4] ?? '').split('\\x00');
  return fields.length !== 5 || pid === null ? null : { pid, comm: untrusted(comm, 64) };
}

/**
 * p TS CPU PID TGID NAME0 NAME1, then " k" and " u", each with its frames on lines of their own: tab,
 * address in hexadecimal, and what bpftrace calls it, the innermost first.
 */
function perfSample(fields: readonly string[], more: string): Fields | null {
  const all = numbers(fields, 3, 2);
  if (fields.length !== 7 || all === null) return null;
  const behind = more.indexOf('\n u');
  const kernel = frames(behind < 0 ? more : more.slice(0, behind));
  const user = frames(behind < 0 ? '' : more.slice(behind));
  const [pid, tgid] = all;
  return {
    pid,
    tgid,
    comm: name(fields[5], fields[6]),
    cpu_id: whole(fields[2]),
    instruction_pointer: kernel[0]?.address ?? user[0]?.address ?? null,
    is_kernel: kernel.length > 0,
    kernel_stack: kernel.map(({ address }) => address),
    kernel_symbols: kernel.map((each) => each.symbol),
    user_stack: user.map(({ address }) => address),
    layer_id: null,
  };
}

const frame = /^\s+(?:0x)?([0-9a-f]{1,16})(?: (.*))?$/;

function frames(text: string): readonly Readonly<{ address: string; symbol: string | null }>[] {
  return text.split('\n').flatMap((line) => {
    const [, address, called] = frame.exec(line) ?? [];
    return address === undefined ? [] : [{ address: `0x${address}`, symbol: symbol(called) }];
  });
}

/** l TS CPU PID TGID ADDRESS NAME0 NAME1 FUNCTION */
function kprobe(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 2);
  if (fields.length !== 9 || all === null) return null;
  const [pid, tgid] = all;
  return {
    pid,
    tgid,
    comm: name(fields[6], fields[7]),
    function: symbol(fields[8]),
    instruction_pointer: hex(fields[5]),
  };
}

/** y TS CPU PERF PID ON_CPU */
function cpuPerf(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 3);
  if (fields.length !== 6 || all === null) return null;
  const [perf, pid, on_cpu] = all;
  return { perf, pid, on_cpu };
}

/** SCX_ENQ_DSQ_PRIQ: ordered by virtual time. */
const by_vtime = 1n << 57n;

/** n TS CPU PID TGID DSQ FLAGS VTIME SLICE_NS DEPTH NAME0 NAME1 */
function dsqInsert(fields: readonly string[]): Fields | null {
  const all = numbers(fields, 3, 2);
  const queue = hex(fields[5]);
  const enq_flags = hex(fields[6]);
  if (fields.length !== 12 || all === null || queue === null || enq_flags === null) return null;
  const [pid, tgid] = all;
  const { id, label } = dsqId(queue);
  const isOrdered = (BigInt(enq_flags) & by_vtime) !== 0n;
  return {
    pid,
    tgid,
    comm: name(fields[10], fields[11]),
    dsq_id: id,
    dsq_label: label,
    enq_flags,
    vtime: isOrdered ? whole(fields[7]) : null,
    slice_ns: whole(fields[8]),
    nr_queued: whole(fields[9]),
  };
}
