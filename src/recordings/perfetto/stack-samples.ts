import type { PbfWriter } from 'pbf';
import type { Frame, FrameKind } from '../../profiles/stack-profile.ts';
import { packet } from './packets.ts';

/** A sample of a clock, on the clock of the trace. The stack goes by the number that it has. */
export type StackSample = Readonly<{
  ts: number;
  cpu: number | null;
  pid: number | null;
  tid: number | null;
  stack: number;
}>;

type Options = Readonly<{
  /** What was sampled, as perf names it. */
  event: string;
  /** Samples per second and CPU; null where it is not known. */
  rate_hz: number | null;
  /** The numbers of the frames of a stack, outermost first. */
  stackOf(stack: number): readonly number[];
  frameOf(frame: number): Frame | undefined;
  write(bytes: Uint8Array): void;
}>;

/** A sequence of packets of its own: names are known within one. */
const sequence_id = 2;
const incremental_state_cleared = 1;
const needs_incremental_state = 2;
/** PerfEvents.Counter. Whatever is not here is a tracepoint. */
const counters: Readonly<Record<string, number>> = {
  'cpu-clock': 1,
  'page-faults': 2,
  'task-clock': 3,
  'context-switches': 4,
  'cpu-migrations': 5,
  'minor-faults': 6,
  'major-faults': 7,
  cycles: 10,
  instructions: 11,
  'cache-references': 12,
  'cache-misses': 13,
  branches: 14,
  'branch-misses': 15,
  'bus-cycles': 16,
  'stalled-cycles-frontend': 17,
  'stalled-cycles-backend': 18,
  'ref-cycles': 19,
};

/** Profiling.CpuMode, by what is on top of the stack. */
const modes: Readonly<Partial<Record<FrameKind, number>>> = { kernel: 1, bpf: 1, user: 2, jit: 2 };

/** What of InternedData a sample needs, by the numbers of its fields. */
const interned = {
  function_names: 5,
  frames: 6,
  callstacks: 7,
  build_ids: 16,
  mapping_paths: 17,
  mappings: 19,
} as const;

/**
 * Writes samples as PerfSample of perf_sample.proto, the form that Perfetto's own profiler has: each
 * stack, frame, file and name stands in the trace once, in front of the first sample with it.
 */
export function stackSamples({ event, rate_hz, stackOf, frameOf, write }: Options) {
  const strings = internTable();
  const modules = internTable();
  const frames = new Set<number>();
  /** Those that are in the trace, and where their innermost frame ran. */
  const stacks = new Map<number, number>();

  function addModule(module: string | null, writer: PbfWriter): number {
    const { iid, isNew } = modules.of(module ?? '');
    if (!isNew) return iid;
    const parts = pathParts(module ?? '').map((part) => addString('mapping_paths', part, writer));
    writer.writeMessage(interned.mappings, writeList, { iid, field: 7, values: parts });
    return iid;
  }

  function addString(kind: 'function_names' | 'mapping_paths', text: string, writer: PbfWriter) {
    if (text === '') return 0;
    const { iid, isNew } = strings.of(`${kind} ${text}`);
    if (isNew) writer.writeMessage(interned[kind], writeString, { iid, text });
    return iid;
  }

  function addFrame(number: number, writer: PbfWriter): void {
    if (frames.has(number)) return;
    frames.add(number);
    const frame = frameOf(number);
    const name = addString('function_names', frame?.name ?? '[unknown]', writer);
    const mapping = addModule(frame?.module ?? null, writer);
    writer.writeMessage(interned.frames, writeFrame, { iid: number + 1, name, mapping });
  }

  function modeOf(stack: number): number {
    const top = frameOf(stackOf(stack).at(-1) ?? -1);
    return top === undefined ? 0 : (modes[top.kind] ?? 0);
  }

  function addStack(stack: number, writer: PbfWriter): void {
    const own = stackOf(stack);
    for (const frame of own) addFrame(frame, writer);
    const values = own.map((frame) => frame + 1);
    writer.writeMessage(interned.callstacks, writeList, { iid: stack + 1, field: 2, values });
  }

  write(opening(event, rate_hz));
  return {
    add(sample: StackSample): void {
      const isNew = !stacks.has(sample.stack);
      const mode = stacks.get(sample.stack) ?? modeOf(sample.stack);
      stacks.set(sample.stack, mode);
      write(
        packet((writer) => {
          writer.writeVarintField(8, sample.ts);
          writer.writeVarintField(10, sequence_id);
          writer.writeVarintField(13, needs_incremental_state);
          if (isNew) writer.writeMessage(12, (_, inner) => addStack(sample.stack, inner), null);
          writer.writeMessage(66, writeSample, { sample, mode });
        }),
      );
    },
  };
}

/** What holds for all packets of the sequence. Number 0 is the empty text, for what has none. */
const opening = (event: string, rate_hz: number | null): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(10, sequence_id);
    writer.writeVarintField(13, incremental_state_cleared);
    writer.writeMessage(12, writeEmptyTexts, null);
    writer.writeMessage(59, writeDefaults, { event, rate_hz });
    writer.writeBooleanField(87, true);
  });

function writeEmptyTexts(_: null, writer: PbfWriter): void {
  for (const field of [interned.function_names, interned.build_ids, interned.mapping_paths]) {
    writer.writeMessage(field, writeString, { iid: 0, text: '' });
  }
}

/** TracePacketDefaults.perf_sample_defaults.timebase. */
function writeDefaults(
  { event, rate_hz }: Readonly<{ event: string; rate_hz: number | null }>,
  writer: PbfWriter,
): void {
  const counter = counters[event.split(':')[0] ?? ''];
  const timebase = (_: null, inner: PbfWriter): void => {
    if (rate_hz !== null) inner.writeVarintField(2, rate_hz);
    if (counter !== undefined) inner.writeVarintField(4, counter);
    else inner.writeMessage(3, (__, tracepoint) => tracepoint.writeStringField(1, event), null);
  };
  writer.writeMessage(12, (_, inner) => inner.writeMessage(1, timebase, null), null);
}

function writeSample(
  { sample, mode }: Readonly<{ sample: StackSample; mode: number }>,
  writer: PbfWriter,
): void {
  if (sample.cpu !== null) writer.writeVarintField(1, sample.cpu);
  if (sample.pid !== null) writer.writeVarintField(2, sample.pid);
  if (sample.tid !== null) writer.writeVarintField(3, sample.tid);
  writer.writeVarintField(4, sample.stack + 1);
  writer.writeVarintField(5, mode);
}

function writeString(
  { iid, text }: Readonly<{ iid: number; text: string }>,
  writer: PbfWriter,
): void {
  writer.writeVarintField(1, iid);
  writer.writeStringField(2, text);
}

/** A mapping or a call stack: its number, and the numbers of what it consists of. */
function writeList(
  { iid, field, values }: Readonly<{ iid: number; field: number; values: readonly number[] }>,
  writer: PbfWriter,
): void {
  writer.writeVarintField(1, iid);
  for (const value of values) writer.writeVarintField(field, value);
}

function writeFrame(
  { iid, name, mapping }: Readonly<{ iid: number; name: number; mapping: number }>,
  writer: PbfWriter,
): void {
  writer.writeVarintField(1, iid);
  writer.writeVarintField(2, name);
  writer.writeVarintField(3, mapping);
}

/** Readers put a slash in front of each part of a path. */
const pathParts = (module: string): readonly string[] =>
  module.startsWith('/') ? module.split('/').slice(1) : [module];

function internTable() {
  const iids = new Map<string, number>();
  return {
    of(key: string): Readonly<{ iid: number; isNew: boolean }> {
      const known = iids.get(key);
      if (known !== undefined) return { iid: known, isNew: false };
      iids.set(key, iids.size + 1);
      return { iid: iids.size, isNew: true };
    },
  };
}
