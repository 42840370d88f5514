import { PbfWriter } from 'pbf';
import type { StreamEvent } from '../../../parsers/stream/stream.ts';
import {
  commOf,
  type FtraceEvent,
  ftraceEvents,
  prevState,
  switchEvent,
  text,
  unseenSwitch,
  whole,
  writeFtraceEvent,
} from './ftrace-event.ts';
import { packet } from './packets.ts';

/** Between these times a CPU changed its task, and no event told. */
export type Gap = Readonly<{ from_ns: number; to_ns: number }>;

/** The events of one CPU, gathered into packets of many. */
export type CpuBundle = Readonly<{
  /** In the order of time. Gives the gap that a switch shows to be in front of it. */
  add(event: StreamEvent, ts: number): Gap | null;
  addPlain(event: FtraceEvent): void;
  /** Events since the last `take`. */
  size(): number;
  /** A packet with them; null where there are none. */
  take(): Uint8Array | null;
}>;

/**
 * A switch or wakeup is written in the compact form of ftrace_event_bundle.proto, a fifth of the
 * bytes, where a reader can tell from the switch before it what that form leaves out: which task
 * went or woke. Where it cannot (the first of a CPU, after a loss) the plain form says. Perfetto has
 * a task run to the end of the trace if the next switch is from another one: so behind a gap there
 * is one switch that nobody saw, a nanosecond before the one that was seen.
 */
export function cpuBundle(cpu: number): CpuBundle {
  let plain = new PbfWriter(new Uint8Array(1024));
  let compact = columns();
  let size = 0;
  /** The task that the last switch put on the CPU; null before the first one. */
  let current: Current | null = null;
  let woken_ts = 0;

  function addPlain(event: FtraceEvent): void {
    plain.writeMessage(2, writeFtraceEvent, event);
    size += 1;
  }

  function closeGap(event: StreamEvent, ts: number): Gap | null {
    const prev = whole(event['prev_pid']);
    if (current === null || current.pid === prev) return null;
    // It should have come before those that are written.
    if (ts < current.since_ns) return null;
    const from_ns = current.since_ns;
    addPlain(unseenSwitch(current, event, Math.max(from_ns, ts - 1)));
    return { from_ns, to_ns: ts };
  }

  function addSwitch(event: StreamEvent, ts: number): Gap | null {
    const next_pid = whole(event['next_pid']);
    const comm = commOf(event['next_comm'], next_pid);
    const gap = closeGap(event, ts);
    const isLate = current !== null && ts < current.since_ns;
    if (current === null || comm === null || isLate) addPlain(switchEvent(event, ts));
    else {
      const next_prio = whole(event['next_prio']);
      const prev_state = prevState(event);
      const next_comm = compact.nameIndex(comm);
      compact.switches.add({ ts, prev_state, next_pid, next_prio, next_comm });
      size += 1;
    }
    const prio = whole(event['next_prio']);
    if (!isLate) current = { pid: next_pid, comm, prio, since_ns: ts };
    return gap;
  }

  function addWaking(event: StreamEvent, ts: number): boolean {
    const { pid, comm, prio, target_cpu } = event;
    const name = text(comm);
    const isKnown = current !== null && current.pid === whole(event['waker_pid']);
    // Steps of time are not negative.
    if (name === null || ts < woken_ts || !isKnown) return false;
    woken_ts = ts;
    compact.wakings.add({
      ts,
      pid: whole(pid),
      target_cpu: whole(target_cpu),
      prio: whole(prio),
      comm: compact.nameIndex(name),
      flags: 0,
    });
    size += 1;
    return true;
  }

  return {
    add(event, ts) {
      if (event.type === 'sched_switch') return addSwitch(event, ts);
      if (event.type === 'sched_waking' && addWaking(event, ts)) return null;
      for (const each of ftraceEvents(event, ts)) addPlain(each);
      return null;
    },
    addPlain,
    size: () => size,
    take() {
      if (size === 0) return null;
      const bundle = { cpu, plain: plain.finish(), compact };
      plain = new PbfWriter(new Uint8Array(1024));
      compact = columns();
      size = 0;
      return packet((writer) => writer.writeMessage(1, writeBundle, bundle));
    },
  };
}

type Current = Readonly<{ pid: number; comm: string | null; prio: number; since_ns: number }>;

type Columns = ReturnType<typeof columns>;

function writeBundle(
  { cpu, plain, compact }: Readonly<{ cpu: number; plain: Uint8Array; compact: Columns }>,
  writer: PbfWriter,
): void {
  writer.writeVarintField(1, cpu);
  // Events that stand in their message already, each behind its tag.
  writer.realloc(plain.length);
  writer.buf.set(plain, writer.pos);
  writer.pos += plain.length;
  writer.writeMessage(4, writeCompact, compact);
}

function writeCompact({ switches, wakings, names }: Columns, writer: PbfWriter): void {
  for (const name of names()) writer.writeStringField(5, name);
  for (const { field, values } of [...switches.columns, ...wakings.columns]) {
    writer.writePackedVarint(field, values);
  }
}

/** Fields of CompactSched, the time first. Names are the strings of field 5, by their place there. */
const switch_fields = { ts: 1, prev_state: 2, next_pid: 3, next_prio: 4, next_comm: 6 } as const;
const waking_fields = { ts: 7, pid: 8, target_cpu: 9, prio: 10, comm: 11, flags: 12 } as const;

function columns() {
  const indices = new Map<string, number>();
  return {
    switches: table(switch_fields),
    wakings: table(waking_fields),
    nameIndex(name: string): number {
      const known = indices.get(name) ?? indices.size;
      indices.set(name, known);
      return known;
    },
    names: () => indices.keys(),
  };
}

/** Rows, kept by column as the message has them; times as steps from one to the next. */
function table<F extends string>(fields: Readonly<Record<F, number>>) {
  const all = new Map<F, { field: number; values: number[] }>();
  for (const name in fields) all.set(name, { field: fields[name], values: [] });
  let last_ts = 0;
  return {
    columns: [...all.values()],
    add(row: Readonly<Record<F, number>>): void {
      for (const [name, { values }] of all) {
        values.push(name === 'ts' ? row[name] - last_ts : row[name]);
      }
      last_ts = 'ts' in row && typeof row.ts === 'number' ? row.ts : 0;
    },
  };
}
