import { type ParseWarning, warn } from '../parsed.ts';
import { byteTexts } from './byte-texts.ts';
import { type ByteWindow, byteWindow, endOfLine, fill, slack } from './byte-window.ts';
import type { Frame } from './frame.ts';
import { parseHeader, parseTask, type Task } from './header.ts';
import { headerBytes } from './header-bytes.ts';
import { type StackLimits, stackLines } from './stack-lines.ts';

export type { Frame } from './frame.ts';
export type { Task } from './header.ts';

/**
 * What a stream of samples is told to. Frames, tasks and stacks go by the numbers that it gave them.
 * What was met long ago may come again: that it gets the same number is the sink's matter.
 */
export type SampleSink = Readonly<{
  frame(frame: Frame): number;
  task(task: Task): number;
  /** `frames`: the numbers of `depth` frames, innermost first. It is used again: copy it. */
  stack(frames: Int32Array, depth: number): number;
  sample(sample: SampleFacts): void;
}>;

export type SampleFacts = Readonly<{
  task: number;
  stack: number;
  cpu: number | null;
  /**
   * Seconds of the clock that perf recorded with, as exact as the text; null where it has none, as
   * after `perf record --per-thread`.
   */
  time_s: number | null;
  /** As perf names it, with its modifiers: cycles:ppp, sched:sched_switch. */
  event: string;
  /** What the sample stands for, in the unit of its event; null where the text does not say. */
  period: number | null;
}>;

export type ScriptTotals = Readonly<{
  samples: number;
  /** Records that the kernel dropped, where perf script was told to show them. */
  lost: number;
  /** Lines that were not understood; the first of them are in `warnings`. */
  odd_lines: number;
  warnings: readonly ParseWarning[];
}>;

export type ScriptParser = Readonly<{ push(chunk: Uint8Array): void; end(): ScriptTotals }>;

const tab = 9;
const newline = 10;
const carriage_return = 13;
const number_sign = 35;
/** A line longer than this is not one of perf script. */
const max_line = 256 * 1024;
const max_warnings = 20;
/** What is remembered, then all is forgotten and learned again: 50 MB when all of it is used. */
const usual_limits = {
  texts: 131_072,
  text_bytes: 16 * 1024 ** 2,
  stacks: 262_144,
  stack_frames: 4 * 1024 ** 2,
  tasks: 32_768,
};

/**
 * `perf script -F comm,pid,tid,cpu,time,event,ip,sym,dso` piece by piece (perf 5.x to 7.x; the
 * fields of a bare `perf script`, with period, offsets and tracepoint text, are understood too, and
 * so is any choice of fields with a task, a time and an event):
 *
 *     node  8261/8261  [000]  1525.130933: cpu-clock:
 *     	         14cde03 Builtins_JSEntry (/usr/bin/node)
 *
 * A header line, then one line per frame, innermost first, then an empty line. Without a stack the
 * one frame stands on the header line. Lines of other records (PERF_RECORD_COMM …) are skipped,
 * those of lost records counted. Pieces may be cut anywhere. Memory follows the distinct lines, up
 * to a limit, not the samples.
 *
 * Decisions: a frame without meaning is left out with a warning, the rest of its stack stays; a
 * text that ends within a line loses its last sample; one that ends within a stack keeps it. A comm
 * that holds a line break tears its own samples and nobody else's.
 */
export function perfScriptParser(
  sink: SampleSink,
  limits: StackLimits & Readonly<{ tasks: number }> = usual_limits,
): ScriptParser {
  /** A line that is torn, put together again. */
  const torn = byteWindow(2 * max_line);
  const header = headerBytes();
  const { places } = header;
  const stack = stackLines(limits, sink.frame);
  const taskTexts = byteTexts(limits.tasks, limits.tasks * 64);
  let tasks: Readonly<{ task: number; cpu: number | null }>[] = [];
  const decoder = new TextDecoder();
  const nameStack = sink.stack;
  /** What is read now: the torn line, or a piece of text where it stands. */
  let window = torn;
  let open: Omit<SampleFacts, 'stack'> | null = null;
  /** The stack of the open sample is the frame that stood on its header line. */
  let alone = false;
  /** Within a line that is too long. */
  let skipping = false;
  let line_number = 0;
  let samples = 0;
  let lost = 0;
  let odd_lines = 0;
  const warnings: ParseWarning[] = [];

  const textOf = (from: number, end: number): string =>
    decoder.decode(window.bytes.subarray(from, end));

  function complain(reason: string, from: number, end: number): void {
    odd_lines++;
    if (warnings.length === max_warnings) return;
    warnings.push(warn(line_number, reason, textOf(from, Math.min(end, from + 400))));
  }

  function close(): void {
    if (open !== null) {
      const { task, cpu, time_s, event, period } = open;
      samples++;
      sink.sample({ task, stack: stack.number(nameStack), cpu, time_s, event, period });
    }
    open = null;
    stack.restart();
  }

  function readFrame(from: number, eol: number): void {
    if (open === null) {
      complain('a frame outside of a sample', from, eol);
      return;
    }
    const refusal = stack.take(window, from, eol);
    if (refusal !== null) complain(refusal, from, eol);
  }

  function whose(from: number, end: number): Readonly<{ task: number; cpu: number | null }> | null {
    const known = taskTexts.find(window, from, end, 0);
    if (known >= 0) return tasks[taskTexts.facts[known * 4 + 2] ?? 0] ?? null;
    const parsed = parseTask(textOf(from, end));
    if (parsed === null) return null;
    const met = { task: sink.task(parsed.task), cpu: parsed.cpu };
    if (taskTexts.keep(window, from, end, { mark: 0, value: tasks.length, note: 0 }) < 0) {
      taskTexts.clear();
      tasks = [];
      taskTexts.keep(window, from, end, { mark: 0, value: 0, note: 0 });
    }
    tasks.push(met);
    return met;
  }

  /** Learns the event of a line; false where it is no header of a sample. */
  function learnEvent(from: number, eol: number): boolean {
    const parsed = parseHeader(textOf(from, eol));
    if (parsed === null) {
      // perf script --header puts comments in front.
      if (window.bytes[from] !== number_sign) complain('not the header of a sample', from, eol);
      return false;
    }
    if (parsed.event.startsWith('PERF_RECORD_')) {
      lost += lostRecords(parsed.event, parsed.rest);
      return false;
    }
    header.learn(parsed.event, parsed.timed);
    return true;
  }

  function readHeader(from: number, eol: number): void {
    close();
    if (!header.read(window.view, from, eol)) {
      if (!learnEvent(from, eol)) return;
      if (!header.read(window.view, from, eol)) {
        complain('not the header of a sample', from, eol);
        return;
      }
    }
    const who = whose(from, places.task_end);
    if (who === null) {
      complain('not the header of a sample', from, eol);
      return;
    }
    const { time_s, event, period } = places;
    open = { task: who.task, cpu: who.cpu, time_s, event, period };
    // Its only frame, or text of a tracepoint with a stack to follow.
    alone = places.rest < eol && stack.take(window, places.rest, eol) === null;
  }

  function readLine(from: number, eol: number): void {
    line_number++;
    const first = window.bytes[from];
    if (first === tab) readFrame(from, eol);
    else if (first === newline || (first === carriage_return && eol === from + 1)) close();
    else readHeader(from, eol);
  }

  function followStack(): void {
    if (open === null || window.bytes[window.from] !== tab) return;
    if (alone) stack.restart();
    alone = false;
    line_number += stack.follow(window);
  }

  /** Reads the complete lines of a window. */
  function consume(next: ByteWindow): void {
    window = next;
    const { view, end } = next;
    for (;;) {
      followStack();
      const from = next.from;
      const eol = from < end ? endOfLine(view, from) : end;
      if (eol >= end) return;
      readLine(from, eol);
      next.from = eol + 1;
    }
  }

  /** Puts what comes up to `to` behind the torn line. */
  function mend(chunk: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; ) {
      at = fill(torn, chunk, at, to);
      if (skipping) skipping = !skip();
      consume(torn);
      if (torn.end - torn.from > max_line) endless();
    }
  }

  /** Passes over the rest of a line that has no room; whether its end is there. */
  function skip(): boolean {
    const eol = endOfLine(torn.view, torn.from);
    const ended = eol < torn.end;
    torn.from = ended ? eol + 1 : torn.end;
    return ended;
  }

  function endless(): void {
    line_number++;
    complain('a line too long for perf script', torn.from, torn.end);
    torn.from = torn.end;
    skipping = true;
  }

  return {
    push(chunk) {
      const { buffer, byteOffset, length } = chunk;
      const last = length > slack ? chunk.lastIndexOf(newline, length - slack) : -1;
      const first = torn.from < torn.end || skipping ? chunk.indexOf(newline) : -1;
      if (last <= first) {
        mend(chunk, 0, length);
        return;
      }
      mend(chunk, 0, first + 1);
      const view = new DataView(buffer, byteOffset, length);
      consume({ bytes: chunk, view, from: first + 1, end: last + 1 });
      mend(chunk, last + 1, length);
    },
    end() {
      if (torn.from < torn.end) {
        window = torn;
        line_number++;
        complain('the text ends within a line: its sample is left out', torn.from, torn.end);
        open = null;
        torn.from = torn.end;
      }
      close();
      return { samples, lost, odd_lines, warnings };
    },
  };
}

/** PERF_RECORD_LOST since ever, PERF_RECORD_LOST_SAMPLES since 6.1. */
function lostRecords(event: string, rest: string): number {
  if (!event.startsWith('PERF_RECORD_LOST')) return 0;
  const [, count = ''] = /lost\D*(\d{1,15})/.exec(rest) ?? [];
  return Number(count);
}
