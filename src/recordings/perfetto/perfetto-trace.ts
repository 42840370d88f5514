import type { StreamEvent } from '../../../parsers/stream/stream.ts';
import { type CpuBundle, cpuBundle, type Gap } from './cpu-bundle.ts';
import { frequencyEvent } from './ftrace-event.ts';
import {
  type Clocks,
  clockSnapshot,
  counterEvent,
  processTree,
  type SliceName,
  sliceEvent,
  systemInfo,
  trackDescriptor,
  type Uname,
} from './packets.ts';
import { type DescribeProcess, processNames } from './process-names.ts';

/** What a counter shows, and of which group it is one. */
export type Counter = Readonly<{ group: string; name: string; unit: string; value: number }>;

/** A trace of Perfetto that is written while its events come. Times are trace time, in ns. */
export type PerfettoTrace = Readonly<{
  /** Those of one CPU in the order of time. */
  event(event: StreamEvent, ts: number): void;
  count(ts: number, counters: readonly Counter[]): void;
  frequency(ts: number, cpu: number, khz: number): void;
  /** Writes what was seen of threads and processes since the last time. */
  name(): void;
  /** Writes all that is still held back. */
  finish(): void;
}>;

type Options = Readonly<{
  clocks: Clocks;
  uname: Uname;
  /** When the recording began: from then on the threads that events name are known. */
  start_ns: number;
  describe: DescribeProcess;
  write(bytes: Uint8Array): void;
}>;

/** Of one CPU in one packet: some ten kilobytes. */
const most_events = 512;

export function perfettoTrace({
  clocks,
  uname,
  start_ns,
  describe,
  write,
}: Options): PerfettoTrace {
  const cpus = new Map<number, CpuBundle>();
  const names = processNames(describe);
  const rows = tracks(write);
  let newest_ns = start_ns;

  function bundleOf(cpu: number): CpuBundle {
    const known = cpus.get(cpu) ?? cpuBundle(cpu);
    cpus.set(cpu, known);
    return known;
  }

  function flush(bundle: CpuBundle): void {
    const bytes = bundle.take();
    if (bytes !== null) write(bytes);
  }

  function name(): void {
    const { threads, processes } = names.take();
    if (threads.length > 0) write(processTree(start_ns, [], threads));
    if (processes.length > 0) write(processTree(newest_ns, processes, []));
  }

  write(clockSnapshot(clocks));
  write(systemInfo(uname));
  return {
    event(event, ts) {
      if (event.cpu === null) return;
      newest_ns = Math.max(newest_ns, ts);
      names.see(event);
      const bundle = bundleOf(event.cpu);
      const gap = bundle.add(event, ts);
      if (gap !== null) rows.missing(event.cpu, gap);
      if (bundle.size() >= most_events) flush(bundle);
      const queued = queuedIn(event);
      if (queued !== null) rows.queued(ts, queued, names.processOf(queued.tid));
    },
    count(ts, counters) {
      for (const { group, name: label, unit, value } of counters) {
        write(counterEvent(ts, rows.counter(group, label, unit), value));
      }
    },
    frequency(ts, cpu, khz) {
      bundleOf(cpu).addPlain(frequencyEvent(ts, cpu, khz));
    },
    name,
    finish() {
      for (const bundle of cpus.values()) flush(bundle);
      name();
    },
  };
}

/** How long the task that comes in had been in a dispatch queue, and how many were with it. */
type Queued = Readonly<{ tid: number; queue: string; waited_ns: number; depth: number | null }>;

function queuedIn(event: StreamEvent): Queued | null {
  const { next_pid: tid, next_dsq_id: queue, next_dsq_lat_us: waited_us } = event;
  if (typeof tid !== 'number' || typeof queue !== 'string') return null;
  if (typeof waited_us !== 'number' || !(waited_us > 0)) return null;
  const depth = event['next_dsq_nr_queued'];
  const waited_ns = Math.round(waited_us * 1000);
  return { tid, queue, waited_ns, depth: typeof depth === 'number' ? depth : null };
}

const queue_group = 'Dispatch queues';
const missing_group = 'Missing switches';

/** Rows that are not of CPUs: each is described once, in front of its first event. */
function tracks(write: (bytes: Uint8Array) => void) {
  const uuids = new Map<string, number>();
  const iids = new Map<string, number>();

  function describe(key: string, make: (uuid: number) => Parameters<typeof trackDescriptor>[0]) {
    const known = uuids.get(key);
    if (known !== undefined) return known;
    const uuid = uuids.size + 1;
    const isFirst = uuids.size === 0;
    uuids.set(key, uuid);
    write(trackDescriptor(make(uuid), isFirst));
    return uuid;
  }

  const group = (name: string): number =>
    describe(`group ${name}`, (uuid) => ({ uuid, name, kind: 'group' }));

  const counter = (of: string, name: string, unit: string): number => {
    const parent = group(of);
    return describe(`counter ${of} ${name}`, (uuid) => ({
      uuid,
      name,
      parent,
      kind: 'counter',
      unit,
    }));
  };

  function nameOf(name: string): SliceName {
    const known = iids.get(name);
    if (known !== undefined) return { iid: known, name: null };
    iids.set(name, iids.size + 1);
    return { iid: iids.size, name };
  }

  function slice(uuid: number, name: string, { from_ns, to_ns }: Gap): void {
    write(sliceEvent(from_ns, uuid, nameOf(name)));
    write(sliceEvent(to_ns, uuid, null));
  }

  return {
    counter,
    missing(cpu: number, gap: Gap): void {
      const parent = group(missing_group);
      const uuid = describe(`missing ${cpu}`, (id) => ({
        uuid: id,
        name: `CPU ${cpu}`,
        parent,
        kind: 'group',
      }));
      slice(uuid, 'switches are missing', gap);
    },
    /** A slice on the row of the thread that ends now, and the depth of the queue when it began. */
    queued(ts: number, { tid, queue, waited_ns, depth }: Queued, tgid: number | null): void {
      const begun = ts - waited_ns;
      if (depth !== null) {
        write(counterEvent(begun, counter(queue_group, `DSQ ${queue}`, 'tasks'), depth));
      }
      if (tgid === null) return;
      const uuid = describe(`thread ${tid} ${tgid}`, (id) => ({
        uuid: id,
        name: '',
        kind: 'thread',
        tid,
        tgid,
      }));
      slice(uuid, `in DSQ ${queue}`, { from_ns: begun, to_ns: ts });
    },
  };
}
