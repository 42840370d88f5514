import { integer, matching, Refused } from './command.ts';
import { type InsertProbe, retargetDsqProgram } from './dsq-program.ts';
import { function_name, refusedFunction } from './function-names.ts';

/** One more than the highest number that a process can have (PID_MAX_LIMIT). */
export const nobody = 4_194_305;

/** The programs of scripts/bpftrace/stream/ that a stream is composed of, beside its frame. */
export const streamFragments = [
  'sched-switch',
  'sched-switch-raw',
  'sched-switch-dsq',
  'sched-wake',
  'sched-wake-raw',
  'sched-migrate',
  'sched-migrate-raw',
  'woken',
  'tgids',
  'fork',
  'exec',
  'exec-raw',
  'exit',
  'wait',
  'softirq',
  'ipi',
  'ipi-mask',
  'ipi-mask-raw',
  'cpuhp-enter',
  'cpuhp-exit',
  'hw-pressure',
  'kprobe',
  'perf-sample',
  'sched-hang',
  'sched-hang-raw',
  'cpu-perf',
  'dsq-note',
  'dsq-insert',
  'alert-wakeup',
  'alert-wakeup-raw',
  'alert-dsq',
  'alert-migrations',
  'alert-migrations-raw',
] as const;

export type StreamFragment = (typeof streamFragments)[number];

/** A fragment, and what it is told beside the parameters that all of them share. */
export type StreamPart = Readonly<
  | { fragment: PlainFragment }
  | { fragment: 'sched-wake' | 'sched-wake-raw'; event: WakeEvent }
  | { fragment: 'kprobe'; function: string; registers: 6 | 8 }
  | { fragment: 'perf-sample' /** bpftrace 0.18 and later can leave frames alone. */; raw: boolean }
  | { fragment: DsqFragment; probe: InsertProbe }
>;

/** Goes in as it is. */
export type PlainFragment = Exclude<
  StreamFragment,
  'sched-wake' | 'sched-wake-raw' | 'kprobe' | 'perf-sample' | DsqFragment
>;
type DsqFragment = 'dsq-note' | 'dsq-insert' | 'alert-dsq';
export type WakeEvent = 'sched_waking' | 'sched_wakeup' | 'sched_wakeup_new';

/** As META of a record says it. */
const kinds: Readonly<Record<WakeEvent, number>> = {
  sched_waking: 2,
  sched_wakeup: 3,
  sched_wakeup_new: 4,
};

const shippedWake = /(?<=^(?:tracepoint:sched|rawtracepoint):)sched_wakeup$/m;
const shippedKind = '  $kind = (uint64)3;\n';
const shippedFunction = 'kprobe:schedule\n';
/** The record of a tracepoint: up to 0.18 bpftrace lets a program read in it. */
const record = /\(uint64\)args\b(?!->)/g;
/** A map that a fragment run by hand makes: bpftrace wants to know its type before it is read. */
const beginning = /^ {2}@[a-z]\w*(?:\[0\])? = \(uint64\)0;\n/gm;
const byHand = '\n// By hand';
/** Of the frame: which process is bpftrace itself, whose doings are left out. */
const leaves_out = '  @self = (uint64)pid;\n';
const closes = '(uint64)args->pid == @self/';
/** What has a buffer of its own in the way: the records of the busiest events. */
const emit = /^ {4}\/\/ emit\n {4}printf\([^;]*;\n {4}@seen = sum\(1\);\n/m;
const put = /^ {4}\/\/ put\n([\s\S]*?)^ {4}\/\/ put end\n/m;
const print = /^( *)\/\/ print\n[\s\S]*?^ *\/\/ print end\n/gm;

/**
 * The program of a stream: fragments as they are shipped, without what they have to be run by hand,
 * one behind the other. Into them go a name of the kernel's own alphabet, small integers and pieces
 * of other fragments; values of a request are parameters of the program, never part of its text.
 * Where bpftrace does not show the record of an event, what only that tells is 0: not known.
 * `withTracer` leaves in what bpftrace itself does, for whoever wants each switch of a CPU.
 */
export function composeStreamProgram(
  parts: readonly StreamPart[],
  shipped: (fragment: string) => string,
  showsRecords: boolean,
  withTracer = false,
): string {
  const isBuffered = parts.some(({ fragment }) => emit.test(body(shipped(fragment))));
  const withQueues = parts.some(({ fragment }) => fragment === 'sched-switch-dsq');
  const buffer = shipped(withQueues ? 'buffer-dsq' : 'buffer');
  const texts = parts.map((part) => {
    const text = retarget(part, body(shipped(part.fragment)));
    return emit.test(text) ? buffered(text, part.fragment, shipped) : text;
  });
  if (isBuffered) texts.push(withPrint(body(shipped('buffer')), buffer));
  const all = [...parts.map(({ fragment }) => fragment), ...(isBuffered ? ['buffer'] : [])];
  const maps = new Set(all.flatMap((each) => shipped(each).match(beginning) ?? []));
  const shippedFrame = body(shipped('frame'));
  const whole = withTracer ? withoutSelf(shippedFrame) : shippedFrame;
  const frame = withMaps(whole, [...maps]);
  const program = withClears([frame, ...texts].join('\n'));
  return showsRecords ? program : program.replaceAll(record, '(uint64)0');
}

/** A number that no process has stands for the one that is left out. */
function withoutSelf(frame: string): string {
  const self = `  @self = (uint64)${nobody};\n  @tracer = (uint64)pid;\n`;
  return replaceOnce(replaceOnce(frame, leaves_out, self), closes, '(uint64)args->pid == @tracer/');
}

/** A fragment without its first line and without what only a run by hand needs. */
function body(text: string): string {
  const end = text.indexOf(byHand);
  return (end < 0 ? text : text.slice(0, end)).replace(/^#!.*\n/, '');
}

function retarget(part: StreamPart, text: string): string {
  switch (part.fragment) {
    case 'sched-wake':
    case 'sched-wake-raw':
      return onWake(text, part.event);
    case 'kprobe':
      return onFunction(text, part.function, part.registers);
    case 'perf-sample':
      return part.raw ? replaceOnce(text, 'ustack(perf)', 'ustack(raw)') : text;
    case 'dsq-note':
    case 'dsq-insert':
    case 'alert-dsq':
      return retargetDsqProgram(text, part.probe);
    default:
      return text;
  }
}

function onWake(text: string, event: WakeEvent): string {
  const kind = integer('kind', kinds[event], 2, 4);
  const there = replaceOnce(text, shippedWake, matching('event', event, /^sched_wak\w+$/));
  return replaceOnce(there, shippedKind, `  $kind = (uint64)${kind};\n`);
}

function onFunction(text: string, name: string, registers: 6 | 8): string {
  const safe = matching('function', name, function_name);
  const reason = refusedFunction(safe, false);
  if (reason !== null) throw new Refused(`${safe} ${reason}`);
  const there = replaceOnce(text, shippedFunction, `kprobe:${safe}\n`);
  const named = replaceOnce(there, '"schedule"', `"${safe}"`);
  // Where the instruction pointer is: x86-64 passes six arguments in registers, arm64 eight.
  return registers === 6 ? named : replaceOnce(named, 'reg("ip")', 'reg("pc")');
}

/** A record goes into the buffer of its CPU instead of being printed at once. */
function buffered(
  text: string,
  fragment: StreamFragment,
  shipped: (fragment: string) => string,
): string {
  const from = fragment === 'sched-switch-dsq' ? 'buffer-dsq' : 'buffer';
  const putting = put.exec(shipped(from))?.[1];
  if (putting === undefined) throw new Refused(`${from} does not say how to put`);
  return replaceOnce(text, emit, putting);
}

/** The buffer prints what the fragments put into it, which may be more than its own record. */
function withPrint(text: string, other: string): string {
  const [printing] = other.match(print) ?? [];
  if (printing === undefined) throw new Refused('the buffer does not say how to print');
  return text.replace(print, () => printing);
}

const withMaps = (frame: string, maps: readonly string[]): string =>
  replaceOnce(frame, '\nBEGIN\n{\n', `\nBEGIN\n{\n${maps.join('')}`);

/** bpftrace prints every map that is left at its end, names of tasks and all. */
function withClears(program: string): string {
  const maps = new Set(program.match(/@[a-z]\w*/g) ?? []);
  const clears = [...maps].filter((name) => name !== '@seen' && name !== '@self');
  return replaceOnce(
    program,
    '  clear(@self);\n',
    ['@self', ...clears].map((name) => `  clear(${name});\n`).join(''),
  );
}

function replaceOnce(text: string, what: string | RegExp, by: string): string {
  const found = typeof what === 'string' ? text.includes(what) : what.test(text);
  if (!found) throw new Refused(`a fragment lacks ${String(what).slice(0, 60)}`);
  return text.replace(what, () => by);
}
