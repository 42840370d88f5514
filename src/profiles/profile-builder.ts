import { pairTable } from '../analysis/pair-table.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

/** Whose samples are told apart: those of each name, each process, or each thread. */
export type TaskDetail = 'comm' | 'pid' | 'tid';

export type StackTask = Readonly<{ comm: string | null; pid: number | null; tid: number | null }>;

/** Collects the samples of one or more events that share frames, stacks and tasks. */
export type StackProfiles = Readonly<{
  frame(frame: Frame): number;
  task(task: StackTask): number;
  /** `frames`: the numbers of `depth` frames, innermost first. */
  stack(frames: Int32Array, depth: number): number;
  /** What numbers stand for; frames of a stack outermost first. */
  frameOf(frame: number): Frame | undefined;
  taskOf(task: number): StackTask | undefined;
  stackOf(stack: number): readonly number[];
  /** Gives the number that the stack has among those of its event. */
  add(event: string, sample: Weighed): number;
  finish(of: (event: string) => EventFacts): readonly StackProfile[];
}>;

type Weighed = Readonly<{ stack: number; task: number; weight: number }>;

/** What the samples themselves do not tell. */
export type EventFacts = Omit<StackProfile, 'event' | 'frames' | 'stacks' | 'total' | 'samples'>;

type EventSamples = {
  readonly pairs: ReturnType<typeof pairTable>;
  weights: Float64Array<ArrayBuffer>;
  counts: Float64Array<ArrayBuffer>;
  total: number;
  samples: number;
};

/** Memory follows the distinct stacks, frames and tasks, never the samples. */
export function stackProfiles(detail: TaskDetail): StackProfiles {
  const frames: Frame[] = [];
  const frameNumbers = new Map<string, number>();
  const tasks: StackTask[] = [];
  const taskNumbers = new Map<string, number>();
  /** Callers above callees; 0 stands above every stack. */
  const calls = pairTable();
  const root = calls.of(-1, -1);
  const events = new Map<string, EventSamples>();

  /** Of the event that was met last: mostly it is the same. */
  let last: Readonly<{ event: string; samples: EventSamples }> | null = null;

  function samplesOf(event: string): EventSamples {
    if (last?.event === event) return last.samples;
    const samples = events.get(event) ?? firstOf(event);
    last = { event, samples };
    return samples;
  }

  function firstOf(event: string): EventSamples {
    const pairs = pairTable();
    const weights = new Float64Array(1024);
    const counts = new Float64Array(1024);
    const samples = { pairs, weights, counts, total: 0, samples: 0 };
    events.set(event, samples);
    return samples;
  }

  function framesOf(stack: number): number[] {
    let depth = 0;
    for (let node = stack; node !== root; node = calls.first(node)) depth++;
    // As long as it gets: one that grows takes up to half as much again, for each of all stacks.
    const own = new Array<number>(depth);
    for (let node = stack; node !== root; node = calls.first(node))
      own[--depth] = calls.second(node);
    return own;
  }

  function stacksOf({ pairs, weights, counts }: EventSamples): StackProfile['stacks'] {
    const lists = new Map<number, readonly number[]>();
    return Array.from({ length: pairs.size() }, (_, pair) => {
      const stack = pairs.first(pair);
      const own = lists.get(stack) ?? framesOf(stack);
      lists.set(stack, own);
      const { comm = null, pid = null, tid = null } = tasks[pairs.second(pair)] ?? {};
      return {
        frames: own,
        comm,
        pid,
        tid,
        weight: weights[pair] ?? 0,
        samples: counts[pair] ?? 0,
      };
    });
  }

  return {
    frame(frame) {
      const key = `${frame.kind}\n${frame.name}\n${frame.module ?? ''}`;
      const known = frameNumbers.get(key);
      if (known !== undefined) return known;
      frameNumbers.set(key, frames.length);
      return frames.push(frame) - 1;
    },
    task({ comm, pid, tid }) {
      const kept = {
        comm,
        pid: detail === 'comm' ? null : pid,
        tid: detail === 'tid' ? tid : null,
      };
      const key = `${kept.pid} ${kept.tid} ${comm}`;
      const known = taskNumbers.get(key);
      if (known !== undefined) return known;
      taskNumbers.set(key, tasks.length);
      return tasks.push(kept) - 1;
    },
    stack(innermostFirst, depth) {
      let node = root;
      for (let at = depth - 1; at >= 0; at--) node = calls.of(node, innermostFirst[at] ?? -1);
      return node;
    },
    frameOf: (frame) => frames[frame],
    taskOf: (task) => tasks[task],
    stackOf: framesOf,
    add(event, { stack, task, weight }) {
      const samples = samplesOf(event);
      const pair = samples.pairs.of(stack, task);
      if (pair >= samples.weights.length) {
        samples.weights = doubled(samples.weights);
        samples.counts = doubled(samples.counts);
      }
      samples.weights[pair] = (samples.weights[pair] ?? 0) + weight;
      samples.counts[pair] = (samples.counts[pair] ?? 0) + 1;
      samples.total += weight;
      samples.samples++;
      return pair;
    },
    finish: (of) =>
      [...events].map(([event, samples]) => ({
        ...of(event),
        event,
        frames,
        stacks: stacksOf(samples),
        total: samples.total,
        samples: samples.samples,
      })),
  };
}

function doubled(from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2);
  to.set(from);
  return to;
}
