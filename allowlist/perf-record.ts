import {
  approve,
  type Command,
  fileNameOf,
  integer,
  matching,
  oneOf,
  ownPath,
  Refused,
} from './command.ts';
import { programs } from './programs.ts';

/** Counters of the processor, under perf's names. */
export const hardwareEvents = [
  'cycles',
  'instructions',
  'branches',
  'branch-misses',
  'cache-misses',
  'cache-references',
  'ref-cycles',
  'stalled-cycles-frontend',
  'stalled-cycles-backend',
  'bus-cycles',
] as const;

/** Clocks and counters of the kernel: they work in every virtual machine. */
export const softwareEvents = [
  'cpu-clock',
  'task-clock',
  'context-switches',
  'cs',
  'page-faults',
  'faults',
  'minor-faults',
  'major-faults',
  'cpu-migrations',
  'migrations',
] as const;

export type PerfEvent =
  | Readonly<{ kind: 'hw'; name: (typeof hardwareEvents)[number] }>
  | Readonly<{ kind: 'sw'; name: (typeof softwareEvents)[number] }>
  | Readonly<{ kind: 'tracepoint'; subsystem: string; name: string }>;

type Recording = Readonly<{
  event: PerfEvent;
  /** Leaves the kernel out, which is all that an unprivileged user may sample. */
  user_only: boolean;
  rate: Readonly<{ freq_hz: number } | { period: number }>;
  target: Readonly<
    { scope: 'all' } | { scope: 'cpu'; cpu: number } | { scope: 'pid'; pid: number }
  >;
  /** Frame pointers: the one way to unwind that costs little and needs no debug information. */
  callgraph: 'fp';
  /** A file of our own. */
  output: string;
  max_bytes: number;
  /** When it is stopped, should nobody stop it before. */
  duration_ms: number;
  /** Set where tracefs is not mounted: perf then mounts it for itself. */
  private_mounts: boolean;
  /** Stamps samples with CLOCK_MONOTONIC, for them to be laid beside other records. */
  monotonic?: boolean;
}>;

const name = /^[a-z][a-z0-9_-]{0,63}$/i;
const modifiers = /^[ukhIGHpPSDWeb]+$/;
const max_freq_hz = 10_000;
const mib = 1024 * 1024;
/** Time to start and to write what is left. */
const around_ms = 60_000;

/**
 * `perf record` into a file of ours, started with its events switched off. It waits for `enable` on
 * control pipe 3 and answers `ack` on pipe 4 once sampling is on. Both need perf 5.10.
 */
export function perfRecord(recording: Recording): Command {
  const { max_bytes, duration_ms } = recording;
  return approve({
    program: programs.perf,
    args: [
      'record',
      '-q',
      ...['-D', '-1', '--control', 'fd:3,4'],
      ...['-e', eventSelector(recording.event, recording.user_only)],
      ...everySo(recording),
      ...(recording.monotonic === true ? ['-k', 'CLOCK_MONOTONIC'] : []),
      ...callGraph(recording.callgraph),
      ...targetOf(recording.target),
      // Build ids are read from every binary at the end of a recording: seconds that nobody needs.
      ...['-B', '-N'],
      ...['--max-size', `${integer('max_bytes', max_bytes, mib, 1024 * mib)}B`],
      ...['-o', ownPath(recording.output)],
    ],
    limits: {
      duration_ms: Number(integer('duration_ms', duration_ms, 1, 640_000)) + around_ms,
      output_bytes: 64 * 1024,
    },
    controlPipes: 2,
    privateMounts: recording.private_mounts,
    subject: {
      watches: recording.target.scope === 'pid' ? { pid: recording.target.pid } : 'all',
      window_ms: duration_ms,
      rate_hz: 'period' in recording.rate ? null : recording.rate.freq_hz,
    },
    request: {
      maker: 'perfRecord',
      parameters: {
        ...recording,
        target: onlyTarget(recording.target),
        output: fileNameOf(recording.output),
      },
    },
  });
}

/** Without what the caller knows of it besides: a request has no room for that. */
function onlyTarget(target: Recording['target']): Recording['target'] {
  switch (target.scope) {
    case 'cpu':
      return { scope: 'cpu', cpu: target.cpu };
    case 'pid':
      return { scope: 'pid', pid: target.pid };
    case 'all':
      return { scope: 'all' };
    default:
      throw new Refused('a target is all, cpu or pid');
  }
}

/** How many samples a second a clock or counter gives nobody could tell by a period of it. */
function everySo({ rate, event }: Recording): readonly string[] {
  if (!('period' in rate)) return ['-F', integer('freq_hz', rate.freq_hz, 1, max_freq_hz)];
  if (event.kind !== 'tracepoint') throw new Refused('a period is for tracepoints');
  return ['-c', integer('period', rate.period, 1, 1_000_000_000)];
}

function eventSelector(event: PerfEvent, userOnly: boolean): string {
  const modifier = userOnly ? ':u' : '';
  switch (event.kind) {
    case 'hw':
      return oneOf('hardware event', event.name, hardwareEvents) + modifier;
    case 'sw':
      return oneOf('software event', event.name, softwareEvents) + modifier;
    case 'tracepoint':
      return tracepoint(event.subsystem, event.name) + modifier;
    default:
      throw new Refused('an event is hw, sw or tracepoint');
  }
}

function tracepoint(subsystem: string, event: string): string {
  // perf would take "cycles:u" for the counter cycles in user space.
  if (modifiers.test(event)) throw new Refused(`"${event}" is a modifier, not a tracepoint`);
  return `${matching('tracepoint subsystem', subsystem, name)}:${matching('tracepoint', event, name)}`;
}

function callGraph(callgraph: Recording['callgraph']): readonly string[] {
  if (callgraph !== 'fp') throw new Refused('stacks are recorded by frame pointer only');
  return ['-g'];
}

function targetOf(target: Recording['target']): readonly string[] {
  switch (target.scope) {
    case 'all':
      return ['-a'];
    case 'cpu':
      return ['-C', integer('cpu', target.cpu, 0, 65_535)];
    case 'pid':
      // Samples of a process carry no CPU by themselves.
      return ['-p', integer('pid', target.pid, 1, 4_194_304), '--sample-cpu'];
    default:
      throw new Refused('a target is all, cpu or pid');
  }
}
