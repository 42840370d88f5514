import { oneOf, Refused } from './command.ts';
import { type InsertProbe, retargetDsqProgram } from './dsq-program.ts';
import {
  type FunctionMode,
  type FunctionProbe,
  functionModes,
  functionProgram,
} from './function-program.ts';
import { retargetLibc } from './libc-program.ts';
import { composeStreamProgram, type StreamPart } from './stream-program.ts';

/** Programs of scripts/bpftrace/ that run as they are. */
export const wholePrograms = [
  'biolatency',
  'collection',
  'collection-tracepoint',
  'exec-events',
  'fileopen',
  'fileslow',
  'gethostlatency',
  'iolayers',
  'offcpu',
  'oncpu',
  'runqlat',
  'runqlat-pidns',
  'sched-aggregates',
  'sched-processes',
  'syscount',
  'task-ext',
  'tcplife',
] as const;
export type WholeProgram = (typeof wholePrograms)[number];

/** What bpftrace is to run: a shipped program by its name, or how shipped ones are put together. */
export type BpftraceProgram = Readonly<
  | { kind: 'whole'; name: WholeProgram }
  | { kind: 'libc'; name: 'gethostlatency'; libc: string }
  | { kind: 'dsq'; probe: InsertProbe }
  | { kind: 'functions'; mode: FunctionMode; probes: readonly FunctionProbe[] }
  | {
      kind: 'stream';
      parts: readonly StreamPart[];
      shows_records: boolean;
      with_tracer: boolean;
    }
>;

/** Shipped programs, and a place for composed ones that only we can write. */
export type Workshop = Readonly<{
  script(name: string): Readonly<{ path: string; text: string }>;
  scratch: Readonly<{ write(name: string, text: string): string }>;
}>;

/** The file of a program: the shipped one, or one that is composed for it. */
export function programFile(program: BpftraceProgram, workshop: Workshop): string {
  if (program.kind === 'whole') return workshop.script(programName(program)).path;
  const shipped = (name: string): string => workshop.script(name).text;
  return workshop.scratch.write(`${programName(program)}.bt`, composed(program, shipped));
}

/** Functions of the kernel that the caller chose and the program probes. */
export function chosenFunctions(program: BpftraceProgram): readonly string[] {
  if (program.kind === 'functions') return program.probes.map(({ name }) => name);
  if (program.kind !== 'stream') return [];
  return program.parts.flatMap((part) => (part.fragment === 'kprobe' ? [part.function] : []));
}

/** Alerts and tasks that hang are told by thread ($2) alone: one of a thread group ($3) tells of all. */
export function tellsOfAll(program: BpftraceProgram, parameters: readonly number[]): boolean {
  if (program.kind !== 'stream' || (parameters[1] ?? 0) > 0) return false;
  return program.parts.some(({ fragment }) =>
    /^(?:alert-(?:wakeup|dsq)|sched-hang)/.test(fragment),
  );
}

type Composed = Exclude<BpftraceProgram, { kind: 'whole' }>;

export function programName(program: BpftraceProgram): string {
  switch (program.kind) {
    case 'whole':
      return oneOf('program', program.name, wholePrograms);
    case 'functions':
      return `function-${oneOf('mode', program.mode, functionModes)}`;
    case 'libc':
      return 'gethostlatency';
    case 'dsq':
    case 'stream':
      return program.kind;
    default:
      throw new Refused('this is no program of bpftrace');
  }
}

function composed(program: Composed, shipped: (name: string) => string): string {
  switch (program.kind) {
    case 'libc':
      return retargetLibc(shipped(programName(program)), program.libc);
    case 'dsq':
      return retargetDsqProgram(shipped('dsq'), program.probe);
    case 'functions':
      return functionProgram(shipped(programName(program)), program.mode, program.probes);
    case 'stream':
      return composeStreamProgram(
        program.parts,
        (name) => shipped(`stream/${name}`),
        program.shows_records,
        program.with_tracer,
      );
  }
}
