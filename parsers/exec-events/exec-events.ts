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

type Names = Map<number, string>;

/**
 * What scripts/bpftrace/exec-events.bt prints, in the order of time: lines of several CPUs come mixed.
 *
 *     {"type": "printf", "data": "F|13834259462397|8742|8764|0|bash"}
 *     {"type": "printf", "data": "A|8764|28|cp\\x00/bin/true\\x00/tmp/x\\x00"}
 *
 * A line that is none of these is left out.
 */
export function parseExecEvents(text: string): ExecEventsOutput {
  const output = readBpftraceOutput(text);
  const filenames: Names = new Map();
  const events: ProcessEvent[] = [];
  const last_exec = new Map<number, number>();
  for (const line of output.printed) {
    const kind = line.slice(0, 2);
    if (kind === 'N|') takeFilename(line, filenames);
    else if (kind === 'A|') takeArguments(line, events, last_exec);
    else {
      const event = readEvent(line, filenames);
      if (event?.kind === 'exec') last_exec.set(event.pid, events.length);
      if (event) events.push(event);
    }
  }
  return {
    health: output.health,
    events: events.sort((a, b) => (a.at_ns ?? 0) - (b.at_ns ?? 0)),
    threads_begun: output.map('@threads').get('') ?? 0,
    from_ns: output.map('@from').get('') ?? null,
  };
}

function takeFilename(line: string, filenames: Names): void {
  const [, tid, name] = /^N\|(\d{1,20})\|(.*)$/s.exec(line) ?? [];
  if (name !== undefined) filenames.set(Number(tid), name);
}

function takeArguments(
  line: string,
  events: ProcessEvent[],
  last_exec: ReadonlyMap<number, number>,
): void {
  const [, pid, bytes, escaped = ''] = /^A\|(\d{1,20})\|(\d{1,20})\|(.*)$/s.exec(line) ?? [];
  const index = last_exec.get(Number(pid));
  const event = index === undefined ? undefined : events[index];
  if (index === undefined || event?.kind !== 'exec') return;
  const { args, taken } = readArguments(escaped);
  events[index] = { ...event, args, args_cut: taken < Number(bytes) };
}

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

function readEvent(line: string, filenames: Names): ProcessEvent | null {
  switch (line.slice(0, 2)) {
    case 'F|':
      return readFork(line);
    case 'X|':
      return readExec(line, filenames);
    case 'R|':
      return readFailure(line, filenames);
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

function readExec(line: string, filenames: Names): ProcessEvent | null {
  const [numbers, comm] = fields(
    line,
    /^X\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(.*)$/s,
  );
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, tid = 0, ppid = 0, uid = 0] = numbers;
  const filename = filenames.get(tid) || null;
  return { kind: 'exec', at_ns, pid, ppid, uid, comm, filename, args: null, args_cut: false };
}

function readFailure(line: string, filenames: Names): ProcessEvent | null {
  const pattern = /^R\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(\d{1,20})\|(-\d+)\|(.*)$/s;
  const [numbers, comm] = fields(line, pattern);
  if (numbers === null) return null;
  const [at_ns = 0, pid = 0, tid = 0, ppid = 0, uid = 0, result = 0] = numbers;
  const filename = filenames.get(tid) || null;
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
