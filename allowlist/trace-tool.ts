import { approve, type Command, integer, oneOf, Refused, type Subject } from './command.ts';
import { bccTool, libbpfTool, type TraceTool, traceTools } from './programs.ts';

export const traceToolFamilies = ['libbpf', 'bcc'] as const;
export type TraceToolFamily = (typeof traceToolFamilies)[number];

/** Options that a tool may be given: bare ones, and those with a number behind them. */
type Grammar = Readonly<{ bare: readonly string[]; numbered: readonly string[] }>;

/** Checked with libbpf-tools and BCC 0.26. */
const grammars: Readonly<Record<TraceToolFamily, Readonly<Record<TraceTool, Grammar>>>> = {
  libbpf: {
    biolatency: { bare: ['-Q', '-m', '-D'], numbered: [] },
    gethostlatency: { bare: [], numbered: ['-p'] },
    runqlat: { bare: ['-P', '--pidnss', '-m'], numbered: ['-p'] },
    syscount: { bare: ['-P', '-L', '-x'], numbered: ['-d', '-p', '-T'] },
    execsnoop: { bare: ['-x', '-U', '-t'], numbered: ['-u', '--max-args'] },
    offcputime: { bare: [], numbered: ['-p', '-m'] },
  },
  bcc: {
    biolatency: { bare: ['-Q', '-m', '-D'], numbered: [] },
    gethostlatency: { bare: [], numbered: ['-p'] },
    runqlat: { bare: ['-P', '--pidnss', '-m'], numbered: ['-p'] },
    syscount: { bare: ['-P', '-L', '-x'], numbered: ['-d', '-p', '-T'] },
    execsnoop: { bare: ['-x', '-U', '-t'], numbered: ['-u', '--max-args'] },
    offcputime: { bare: ['-f'], numbered: ['-p', '-m'] },
  },
};

/** A bare option, an option with its number, or a number alone (interval, count, duration). */
export type TraceToolArgument = string | number | readonly [string, number];

type Run = Readonly<{
  family: TraceToolFamily;
  tool: TraceTool;
  args: readonly TraceToolArgument[];
  /** After this it is told to end, and prints what it has. */
  duration_ms: number;
  output_bytes: number;
}>;

/** A tracer of libbpf-tools or BCC with options of its grammar and whole numbers, nothing else. */
export function traceTool(run: Run): Command {
  const { family, tool, args, duration_ms, output_bytes } = run;
  const grammar =
    grammars[oneOf('family', family, traceToolFamilies)][oneOf('tool', tool, traceTools)];
  return approve({
    program: family === 'libbpf' ? libbpfTool(tool) : bccTool(tool),
    args: args.flatMap((arg) => words(grammar, arg)),
    // Python keeps what it prints into a pipe until it ends.
    environment: family === 'bcc' ? { PYTHONUNBUFFERED: '1' } : {},
    needsTracefs: true,
    limits: { duration_ms, output_bytes },
    subject: { watches: watched(tool, args), window_ms: duration_ms },
    request: { maker: 'traceTool', parameters: run },
  });
}

/**
 * biolatency tells of devices; all others of processes. Of an option that is there twice a tool takes
 * the last, and 0 is all of them.
 */
function watched(tool: TraceTool, args: readonly TraceToolArgument[]): Subject['watches'] {
  if (tool === 'biolatency') return 'none';
  const pids = args.flatMap((arg) => (typeof arg === 'object' && arg[0] === '-p' ? [arg[1]] : []));
  if (pids.length > 1) throw new Refused('-p is given twice');
  const [pid = 0] = pids;
  return pid > 0 ? { pid } : 'all';
}

function words(grammar: Grammar, arg: TraceToolArgument): readonly string[] {
  if (typeof arg === 'number') return [integer('argument', arg, 0, 2 ** 31 - 1)];
  if (typeof arg === 'string') {
    if (!grammar.bare.includes(arg)) throw new Refused(`${arg} is not an option of this tool`);
    return [arg];
  }
  const [option, value] = arg;
  if (!grammar.numbered.includes(option)) throw new Refused(`${option} takes no number here`);
  return [option, integer(option, value, 0, 2 ** 31 - 1)];
}
