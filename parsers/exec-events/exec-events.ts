import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';

/** Times are ns since boot; null where the tracer has no clock. Names are as processes wrote them. */
export type ProcessEvent =
  | (Readonly<{ kind: 'fork'; child: number; child_comm: string | null }> & Common)
  | (Readonly<{ kind: 'exec'; filename: string | null; args: readonly string[] | null }> &
      Readonly<{ args_cut: boolean }> &
      Common)
  | (Readonly<{ kind: 'failed_exec'; filename: string | null; errno: number }> & Common)
  | (Readonly<{ kind: 'exit'; code: number | null; signal: number | null; age_ns: number | null }> &
      Common);

type Common = Readonly<{
  at_ns: number | null;
  pid: number;
  /** Null where it is not told: of a fork it is the parent that has the pid. */
  ppid: number | null;
  uid: number | null;
  comm: string;
}>;

export type ExecEventsOutput = Readonly<{
  health: TraceHealth;
  events: readonly ProcessEvent[];
  threads_begun: number;
  /** Monotonic time at which the watching began; null where nothing was watched. */
  from_ns: number | null;
}>;

/** What stands in other lines than its event, by the time and the thread or process that both tell. */
type Told = Readonly<{
  names: Map<string, string>;
  args: Map<string, Readonly<{ args: readonly string[]; args_cut: boolean }>>;
}>;

/**
 * What scripts/bpftrace/exec-events.bt prints, in the order of time: lines of several CPUs come
 * in any.
 *
 *     {"type": "printf", "data": "F|13834259462397|8742|8764|0|bash"}
 *     {"type": "printf", "data": "A|13834260102183|8764|28|cp\\x00/bin/true\\x00/tmp/x\\x00"}
 *
 * A line that is none of these is left out. A file name is null where its line was lost or the call
 * began before the window; arguments are null where their line was lost.
 */
export function parseExecEvents(text: string): ExecEventsOutput {
  const output = readBpftraceOutput(text);
  const told: Told = { names: new Map(), args: new Map() };
  for (const line of output.printed) learn(line, told);
  const events = output.printed
    .map((line) => readEvent(line, told))
    .filter((event) => event !== null)
    .sort((a, b) => (a.at_ns ?? 0) - (b.at_ns ?? 0));
  return {
    health: output.health,
    events: withoutRepeatedExits(events),
    threads_begun: output.map('@threads').get('') ?? 0,
    from_ns: output.map('@from').get('') ?? null,
  };
}

function learn(line: string, { names, args }: Told): void {
  const [, called, tid, name] = /^N\|(\d{1,20})\|(\d{1,20})\|(.*)$/s.exec(line) ?? [];
  if (name !== undefined) names.set(key(called, tid), name);
  const [, at, pid, bytes, escaped] =
    /^A\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(.*)$/s.exec(line) ?? [];
  if (escaped === undefined) return;
  const read = readArguments(escaped);
  args.set(key(at, pid), { args: read.args, args_cut: read.taken < Number(bytes) });
}

/** As numbers: after 104 days a double does not hold every nanosecond. */
const key = (at: unknown, id: unknown): string => `${Number(at)} ${Number(id)}`;

type Exit = Extract<ProcessEvent, { kind: 'exit' }>;

/** Where the last two threads of a process end at once on two CPUs, each finds that none is left. */
function withoutRepeatedExits(events: readonly ProcessEvent[]): readonly ProcessEvent[] {
  const exits = new Map<number, Exit>();
  const repeated = new Set<ProcessEvent>();
  for (const event of events) {
    if (event.kind !== 'exit') continue;
    const before = exits.get(event.pid);
    // Ids come back, but no two processes begin within a microsecond with the same one.
    if (before && Math.abs(begunAt(event) - begunAt(before)) < 1000) repeated.add(before);
    exits.set(event.pid, event);
  }
  return events.filter((event) => !repeated.has(event));
}

const begunAt = ({ at_ns, age_ns }: Exit): number => (at_ns ?? 0) - (age_ns ?? 0);

/** bpftrace prints bytes that are no printable ASCII as \xHH, and nothing else escaped. */
function readArguments(escaped: string): { args: string[]; taken: number } {
  const bytes: number[] = [];
  const pattern = /\\x([0-9a-f]{2})|([\s\S])/gu;
  for (const [, hex, plain] of escaped.matchAll(pattern)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else bytes.push(...new TextEncoder().encode(plain));
  }
  const args = new TextDecoder().decode(Uint8Array.from(bytes)).split('\0');
  // The last one ends in a zero too, unless it was cut.
  if (args.at(-1) === '') args.pop();
  return { args, taken: bytes.length };
}

function readEvent(line: string, told: Told): ProcessEvent | null {
  switch (line.slice(0, 2)) {
    case 'F|':
      return readFork(line);
    case 'X|':
      return readExec(line, told);
    case 'R|':
      return readFailure(line, told);
    case 'E|':
      return readExit(line);
    default:
      return null;
  }
}

function readFork(line: string): ProcessEvent | null {
  const [numbers, comm] = fields(
    line,
    /^F\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(.*)$/s,
  );
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, child = 0, uid = 0] = numbers;
  return { kind: 'fork', at_ns, pid, child, child_comm: null, ppid: null, uid, comm };
}

function readExec(line: string, { names, args }: Told): ProcessEvent | null {
  const pattern =
    /^X\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(.*)$/s;
  const [numbers, comm] = fields(line, pattern);
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, tid = 0, called = 0, ppid = 0, uid = 0] = numbers;
  const filename = names.get(key(called, tid)) || null;
  const { args: told = null, args_cut = false } = args.get(key(at_ns, pid)) ?? {};
  return { kind: 'exec', at_ns, pid, ppid, uid, comm, filename, args: told, args_cut };
}

function readFailure(line: string, { names }: Told): ProcessEvent | null {
  const pattern =
    /^R\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(-\d+)\|(.*)$/s;
  const [numbers, comm] = fields(line, pattern);
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, tid = 0, called = 0, ppid = 0, uid = 0, result = 0] = numbers;
  const filename = names.get(key(called, tid)) || null;
  return { kind: 'failed_exec', at_ns, pid, ppid, uid, comm, filename, errno: -result };
}

function readExit(line: string): ProcessEvent | null {
  const pattern =
    /^E\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(.*)$/s;
  const [numbers, comm] = fields(line, pattern);
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, ppid = 0, uid = 0, status = 0, age_ns = 0] = numbers;
  // As wait() gives it: the signal in the low seven bits, the code above the low eight.
  const signal = status & 0x7f;
  const code = signal === 0 ? (status >> 8) & 0xff : null;
  return {
    kind: 'exit',
    at_ns,
    pid,
    ppid,
    uid,
    comm,
    code,
    signal: signal === 0 ? null : signal,
    age_ns,
  };
}

/** The numbers of a line and the text at its end. */
function fields(line: string, pattern: RegExp): [readonly number[] | null, string] {
  const found = pattern.exec(line);
  if (found === null) return [null, ''];
  return [found.slice(1, -1).map(Number), found.at(-1) ?? ''];
}
