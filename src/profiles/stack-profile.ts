/** What a frame is made of: where its code runs, or how it came to be. */
export type FrameKind = 'kernel' | 'user' | 'jit' | 'inlined' | 'bpf' | 'guest' | 'unknown';

export type Frame = Readonly<{ name: string; module: string | null; kind: FrameKind }>;

/** When samples were taken, in the order in which they came: stack, thread, CPU (-1: not known), time. */
export type SampleTimes = Readonly<{
  stacks: readonly number[];
  tids: readonly number[];
  cpus: readonly number[];
  ns: readonly number[];
}>;

/** Samples of one event. Stacks are lists of indices into frames, root first; weights are in `unit`. */
export type StackProfile = Readonly<{
  /** cpu-clock, offcpu, wakeup, the name of a tracepoint … */
  event: string;
  unit: 'samples' | 'ns' | 'count' | 'bytes';
  frames: readonly Frame[];
  stacks: readonly Readonly<{
    frames: readonly number[];
    comm: string | null;
    pid: number | null;
    tid: number | null;
    weight: number;
    samples: number;
  }>[];
  /** Sum of the weights. */
  total: number;
  /** Number of samples. */
  samples: number;
  /** Sampling period in the unit of the event; null where it is not known. */
  period: number | null;
  duration_ms: number | null;
  lost: number;
  warnings: readonly string[];
  /** Where it is known, and there are not too many. */
  times?: SampleTimes | null;
}>;
