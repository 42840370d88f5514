import { approve, type Command, fileNameOf, integer, ownPath, Refused } from './command.ts';
import { programs } from './programs.ts';

/** Trace events that perf records where no BPF program can be loaded. */
export const perfTraceEvents = [
  'sched:sched_switch',
  'sched:sched_wakeup',
  'sched:sched_wakeup_new',
  'task:task_newtask',
  'sched:sched_process_exec',
  'sched:sched_process_exit',
] as const;
export type PerfTraceEvent = (typeof perfTraceEvents)[number];

type Recording = Readonly<{
  events: readonly PerfTraceEvent[];
  /** With the stacks of kernel and program, by frame pointer. */
  stacks: boolean;
  /** When it is stopped, should nobody stop it before. */
  duration_ms: number;
  /** A file of our own. */
  output: string;
  max_bytes: number;
}>;

const mib = 1024 * 1024;

/**
 * `perf record` of every one of the events on all CPUs, into a file of ours; as perfRecord it begins
 * at a word through control pipe 3.
 */
export function perfRecordEvents(recording: Recording): Command {
  const { events, stacks, duration_ms, output, max_bytes } = recording;
  const unknown = events.find((each) => !perfTraceEvents.includes(each));
  if (unknown !== undefined) throw new Refused(`${unknown} is not recorded`);
  return approve({
    program: programs.perf,
    args: [
      ...['record', '-q', '-D', '-1', '--control', 'fd:3,4'],
      ...['-a', '-c', '1', '-m', '512'],
      ...['-e', events.join(',')],
      ...(stacks ? ['-g'] : []),
      // Build ids are read from every binary at the end of a recording: seconds that nobody needs.
      ...['-B', '-N'],
      ...['--max-size', `${integer('max_bytes', max_bytes, mib, 1024 * mib)}B`],
      ...['-o', ownPath(output)],
    ],
    controlPipes: 2,
    privateMounts: true,
    limits: { duration_ms, output_bytes: 64 * 1024 },
    request: {
      maker: 'perfRecordEvents',
      parameters: { ...recording, output: fileNameOf(output) },
    },
    subject: { watches: 'all', window_ms: duration_ms },
  });
}

/** `perf script` of such a recording, as text for parsers/perf-events. */
export function perfScriptEvents(recording: string, stacks: boolean): Command {
  const fields = ['comm', 'pid', 'tid', 'cpu', 'time', 'event', 'trace'];
  return approve({
    program: programs.perf,
    args: [
      'script',
      ...['-i', ownPath(recording)],
      ...['--ns', '--show-lost-events', '--no-inline'],
      ...['-F', `trace:${[...fields, ...(stacks ? ['ip', 'sym', 'dso'] : [])].join(',')}`],
    ],
    privateMounts: true,
    limits: { duration_ms: 60_000, output_bytes: 2 * 1024 ** 3 },
    request: {
      maker: 'perfScriptEvents',
      parameters: { recording: fileNameOf(recording), stacks },
    },
  });
}
