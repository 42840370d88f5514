import { PbfWriter } from 'pbf';

/**
 * Messages of protos/perfetto/trace/perfetto_trace.proto, by their field numbers there. pbf writes
 * them: 4 KB in the bundle for its writer, where protobufjs with the definitions takes a megabyte.
 */
export type Clocks = Readonly<{
  /** Nanoseconds at one moment. */
  boottime_ns: number;
  realtime_ns: number;
}>;

export type Uname = Readonly<{ release: string; machine: string }>;

/** BUILTIN_CLOCK_* of builtin_clock.proto. */
const realtime = 1;
const boottime = 6;

/** TracePacket.sequence_flags. */
const incremental_state_cleared = 1;
const needs_incremental_state = 2;

/** Counters and slices come on one sequence of packets, the rest on none. */
const sequence_id = 1;

/** TrackEvent.Type. */
const slice_begin = 1;
const slice_end = 2;
const counter = 4;

/** One packet of a trace, with what `fill` writes into it. Packets behind each other are a trace. */
export function packet(fill: (writer: PbfWriter) => void): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(256));
  writer.writeMessage(1, (_, inner) => fill(inner), null);
  return writer.finish();
}

/** What was the time on each clock at the moment that trace time calls boottime_ns. */
export const clockSnapshot = ({ boottime_ns, realtime_ns }: Clocks): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(8, boottime_ns);
    writer.writeMessage(
      6,
      (_, snapshot) => {
        snapshot.writeMessage(1, clock, [boottime, boottime_ns] as const);
        snapshot.writeMessage(1, clock, [realtime, realtime_ns] as const);
        snapshot.writeVarintField(2, boottime);
      },
      null,
    );
  });

function clock([id, timestamp]: readonly [number, number], writer: PbfWriter): void {
  writer.writeVarintField(1, id);
  writer.writeVarintField(2, timestamp);
}

/** Readers tell from the release what the bits of a task's state mean. */
export const systemInfo = ({ release, machine }: Uname): Uint8Array =>
  packet((writer) =>
    writer.writeMessage(
      45,
      (_, info) =>
        info.writeMessage(
          1,
          (__, name) => {
            name.writeStringField(1, 'Linux');
            name.writeStringField(3, release);
            name.writeStringField(4, machine);
          },
          null,
        ),
      null,
    ),
  );

export type TraceProcess = Readonly<{
  pid: number;
  ppid: number | null;
  uid: number | null;
  /** Empty where there is none: a thread of the kernel, or one that is gone. */
  cmdline: readonly string[];
  is_kernel_thread: boolean;
}>;

export type TraceThread = Readonly<{ tid: number; tgid: number; name: string | null }>;

export const processTree = (
  timestamp: number,
  processes: readonly TraceProcess[],
  threads: readonly TraceThread[],
): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(8, timestamp);
    writer.writeMessage(
      2,
      (_, tree) => {
        for (const each of processes) tree.writeMessage(1, process, each);
        for (const each of threads) tree.writeMessage(2, thread, each);
      },
      null,
    );
  });

function process(each: TraceProcess, writer: PbfWriter): void {
  writer.writeVarintField(1, each.pid);
  if (each.ppid !== null) writer.writeVarintField(2, each.ppid);
  for (const word of each.cmdline) writer.writeStringField(3, word);
  if (each.uid !== null) writer.writeVarintField(5, each.uid);
  if (each.is_kernel_thread) writer.writeBooleanField(8, true);
}

function thread({ tid, tgid, name }: TraceThread, writer: PbfWriter): void {
  writer.writeVarintField(1, tid);
  if (name !== null) writer.writeStringField(2, name);
  writer.writeVarintField(3, tgid);
}

/** A row of its own: of a counter, of a thread, or one that only holds others. */
export type Track = Readonly<{ uuid: number; name: string; parent?: number | undefined }> &
  Readonly<
    | { kind: 'group' }
    | { kind: 'counter'; unit: string }
    | { kind: 'thread'; tid: number; tgid: number }
  >;

/** `isFirst` on the first one: a reader takes events of a sequence only once it is told its state. */
export const trackDescriptor = (track: Track, isFirst: boolean): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(10, sequence_id);
    if (isFirst) writer.writeVarintField(13, incremental_state_cleared);
    writer.writeMessage(60, descriptor, track);
  });

function descriptor(track: Track, writer: PbfWriter): void {
  writer.writeVarintField(1, track.uuid);
  if (track.kind !== 'thread') writer.writeStringField(2, track.name);
  if (track.parent !== undefined) writer.writeVarintField(5, track.parent);
  if (track.kind === 'thread') {
    const { tid, tgid } = track;
    writer.writeMessage(
      4,
      (_, inner) => {
        inner.writeVarintField(1, tgid);
        inner.writeVarintField(2, tid);
      },
      null,
    );
  } else if (track.kind === 'counter') {
    const { unit } = track;
    writer.writeMessage(8, (_, inner) => inner.writeStringField(6, unit), null);
  }
}

export const counterEvent = (timestamp: number, uuid: number, value: number): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(8, timestamp);
    writer.writeVarintField(10, sequence_id);
    writer.writeMessage(
      11,
      (_, event) => {
        event.writeVarintField(9, counter);
        event.writeVarintField(11, uuid);
        if (Number.isInteger(value)) event.writeVarintField(30, value);
        else event.writeDoubleField(44, value);
      },
      null,
    );
  });

/** A name by its number; `name` beside it where the trace does not have that number yet. */
export type SliceName = Readonly<{ iid: number; name: string | null }>;

/** The beginning of a slice has a name, its end has none. */
export const sliceEvent = (timestamp: number, uuid: number, name: SliceName | null): Uint8Array =>
  packet((writer) => {
    writer.writeVarintField(8, timestamp);
    writer.writeVarintField(10, sequence_id);
    writer.writeVarintField(13, needs_incremental_state);
    if (name !== null && name.name !== null) writer.writeMessage(12, eventName, name);
    writer.writeMessage(
      11,
      (_, event) => {
        event.writeVarintField(9, name === null ? slice_end : slice_begin);
        if (name !== null) event.writeVarintField(10, name.iid);
        event.writeVarintField(11, uuid);
      },
      null,
    );
  });

function eventName({ iid, name }: SliceName, writer: PbfWriter): void {
  writer.writeMessage(
    2,
    (_, inner) => {
      inner.writeVarintField(1, iid);
      inner.writeStringField(2, name ?? '');
    },
    null,
  );
}
