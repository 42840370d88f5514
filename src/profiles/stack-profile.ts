/** What a frame is made of: where its code runs, or how it came to be. */
export type FrameKind = 'kernel' | 'user' | 'jit' | 'inlined' | 'bpf' | 'guest' | 'unknown';

export type Frame = Readonly<{ name: string; module: string | null; kind: FrameKind }>;

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
}>;
