import { type Parsed, type ParseWarning, warn } from '../parsed.ts';
import type { Frame } from './frame.ts';
import { headerReader, parseTask, type Task } from './header.ts';
import { copyOf, stackLines } from './stack-lines.ts';

export type { Frame } from './frame.ts';
export type { Task } from './header.ts';

/** What a stream of samples is told to. Frames and tasks go by the numbers that it gave them. */
export type SampleSink = Readonly<{
  /** A frame that was not met lately: the same number for the same frame is the sink's matter. */
  frame(frame: Frame): number;
  task(task: Task): number;
  /** `stack` holds the numbers of `depth` frames, innermost first. It is used again: copy it. */
  sample(sample: SampleFacts, stack: Int32Array, depth: number): void;
}>;

export type SampleFacts = Readonly<{
  task: number;
  cpu: number | null;
  /** Seconds of the clock that perf recorded with, to the microsecond. */
  time_s: number;
  event: string;
}>;

export type ScriptTotals = Readonly<{
  samples: number;
  /** Records that the kernel dropped, where perf script was told to show them. */
  lost: number;
  warnings: readonly ParseWarning[];
}>;

export type ScriptParser = Readonly<{ push(chunk: string): void; end(): ScriptTotals }>;

const tab = 9;
const carriage_return = 13;
const capital_p = 80;
/** Tasks that are remembered; then all are forgotten and learned again. */
const max_tasks = 65_536;
/** A line longer than this is not one of perf script. */
const max_line = 256 * 1024;
const max_warnings = 20;

/**
 * `perf script -F comm,pid,tid,cpu,time,event,ip,sym,dso` piece by piece (perf 5.x to 6.x; the
 * fields of a bare `perf script`, with period, offsets and tracepoint text, are understood too):
 *
 *     node  8261/8261  [000]  1525.130933: cpu-clock:
 *     	         14cde03 Builtins_JSEntry (/usr/bin/node)
 *
 * A header line, then one line per frame, innermost first, then an empty line. Without a stack the
 * one frame stands on the header line. Lines of other records (PERF_RECORD_COMM …) are skipped,
 * those of lost records counted. Pieces may be cut anywhere. Memory follows the distinct lines, not
 * the samples.
 *
 * Decisions: a frame without meaning is left out with a warning, the rest of its stack stays; a
 * text that ends within a line loses its last sample; one that ends within a stack keeps it. A comm
 * that holds a line break tears its own samples and nobody else's.
 */
export function perfScriptParser(sink: SampleSink): ScriptParser {
  const parseHeader = headerReader();
  const stack = stackLines(sink.frame);
  let tasks = new Map<string, Readonly<{ task: number; cpu: number | null }>>();
  let open: SampleFacts | null = null;
  let rest = '';
  let line_number = 0;
  let samples = 0;
  let lost = 0;
  const warnings: ParseWarning[] = [];

  function complain(reason: string, text: string): void {
    line_number += stack.followed();
    if (warnings.length < max_warnings) warnings.push(warn(line_number, reason, text));
  }

  function close(): void {
    if (open !== null) {
      samples++;
      sink.sample(open, stack.numbers(), stack.depth());
    }
    open = null;
    stack.clear();
  }

  function readFrame(text: string): void {
    if (open === null) complain('a frame outside of a sample', text);
    else if (!stack.take(text)) complain('not a frame', text);
  }

  function whose(text: string): Readonly<{ task: number; cpu: number | null }> | null {
    const known = tasks.get(text);
    if (known) return known;
    const copy = copyOf(text);
    const parsed = parseTask(copy);
    if (parsed === null) return null;
    if (tasks.size === max_tasks) tasks = new Map();
    const met = { task: sink.task(parsed.task), cpu: parsed.cpu };
    tasks.set(copy, met);
    return met;
  }

  function readHeader(text: string): void {
    close();
    const header = parseHeader(text);
    if (header && isOtherRecord(header.event)) {
      lost += lostRecords(header.event, header.rest);
      return;
    }
    const who = header && whose(header.task);
    if (!header || !who) {
      // perf script --header puts comments in front.
      if (!text.startsWith('#')) complain('not the header of a sample', text);
      return;
    }
    open = { task: who.task, cpu: who.cpu, time_s: header.time_s, event: header.event };
    // Its only frame, or text of a tracepoint with a stack to follow.
    if (header.rest !== '') stack.takeAlone(header.rest);
  }

  function readLine(text: string, at: number, eol: number): void {
    line_number++;
    const first = text.charCodeAt(at);
    if (first === tab) readFrame(text.slice(at, eol + 1));
    else if (eol === at || (first === carriage_return && eol === at + 1)) close();
    else readHeader(text.slice(at, eol));
  }

  /** Reads the complete lines of the text from `from` on; where the first incomplete one starts. */
  function consume(text: string, from: number): number {
    let at = from;
    for (;;) {
      at = stack.follow(text, at);
      const eol = text.indexOf('\n', at);
      if (eol < 0) return at;
      readLine(text, at, eol);
      at = eol + 1;
    }
  }

  return {
    push(chunk) {
      let from = 0;
      if (rest !== '') {
        const eol = chunk.indexOf('\n');
        rest += eol < 0 ? chunk : chunk.slice(0, eol + 1);
        if (rest.length > max_line) {
          complain('a line too long for perf script', rest);
          rest = rest.slice(0, max_line);
        }
        if (eol < 0) return;
        if (rest.endsWith('\n')) consume(rest, 0);
        rest = '';
        from = eol + 1;
      }
      rest = chunk.slice(consume(chunk, from));
    },
    end() {
      if (rest !== '') {
        complain('the text ends within a line: its sample is left out', rest);
        open = null;
        rest = '';
      }
      close();
      return { samples, lost, warnings };
    },
  };
}

/** No event starts with a capital P: the first look is for speed. */
const isOtherRecord = (event: string): boolean =>
  event.charCodeAt(0) === capital_p && event.startsWith('PERF_RECORD_');

function lostRecords(event: string, rest: string): number {
  if (event !== 'PERF_RECORD_LOST') return 0;
  const count = Number(rest.replace('lost', ''));
  return Number.isSafeInteger(count) ? count : 0;
}

/** A sample on its own, with its frames innermost first. */
export type PerfSample = Readonly<{
  comm: string;
  pid: number | null;
  tid: number;
  cpu: number | null;
  time_s: number;
  event: string;
  frames: readonly Frame[];
}>;

/** A whole text at once, with every sample kept: for small recordings. */
export function parsePerfScript(
  text: string,
): Parsed<Readonly<{ samples: readonly PerfSample[]; lost: number }>> {
  const frames: Frame[] = [];
  const tasks: Task[] = [];
  const samples: PerfSample[] = [];
  const parser = perfScriptParser({
    frame: (frame) => frames.push(frame) - 1,
    task: (task) => tasks.push(task) - 1,
    sample({ task, ...facts }, stack, depth) {
      const who = tasks[task];
      if (!who) return;
      const own = [...stack.subarray(0, depth)].flatMap((number) => frames[number] ?? []);
      samples.push({ ...who, ...facts, frames: own });
    },
  });
  parser.push(text);
  const { lost, warnings } = parser.end();
  return { data: { samples, lost }, warnings };
}
