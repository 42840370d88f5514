import type { Parsed } from '../parsed.ts';
import type { Frame } from './frame.ts';
import type { Task } from './header.ts';
import { perfScriptParser } from './perf-script.ts';

/** A sample on its own, with its frames innermost first. */
export type PerfSample = Readonly<{
  comm: string;
  pid: number | null;
  tid: number;
  cpu: number | null;
  time_s: number | null;
  event: string;
  period: number | null;
  frames: readonly Frame[];
}>;

/** A whole text at once, with every sample kept: for small recordings. */
export function parsePerfScript(
  text: string,
): Parsed<Readonly<{ samples: readonly PerfSample[]; lost: number }>> {
  const frames: Frame[] = [];
  const tasks: Task[] = [];
  const stacks: (readonly Frame[])[] = [];
  const samples: PerfSample[] = [];
  const parser = perfScriptParser({
    frame: (frame) => frames.push(frame) - 1,
    task: (task) => tasks.push(task) - 1,
    stack(numbers, depth) {
      const own = [...numbers.subarray(0, depth)].flatMap((number) => frames[number] ?? []);
      return stacks.push(own) - 1;
    },
    sample({ task, stack, ...facts }) {
      const who = tasks[task];
      if (who) samples.push({ ...who, ...facts, frames: stacks[stack] ?? [] });
    },
  });
  parser.push(new TextEncoder().encode(text));
  const { lost, warnings } = parser.end();
  return { data: { samples, lost }, warnings };
}
