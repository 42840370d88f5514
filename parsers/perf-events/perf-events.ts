/** One event, with the task in whose time it happened. */
export type PerfEventRecord = Readonly<{
  comm: string;
  pid: number;
  tid: number;
  time_ns: number;
  /** "sched:sched_switch". */
  event: string;
  /** What the event tells: "comm=bash pid=11116 …". */
  text: string;
  /** Innermost first; empty where stacks were not recorded. */
  frames: readonly string[];
}>;

export type PerfEventsParser = Readonly<{
  push(text: string): void;
  /** Records that the kernel dropped. */
  end(): Readonly<{ lost: number }>;
}>;

const header =
  /^ *(\S+(?:\s+\S+)*?)\s+(-?\d{1,20})\/(-?\d{1,20})\s+\[\d+\]\s+(\d{1,20})\.(\d{9}):\s+([\w-]+:[\w-]+):\s?(.*)$/;
const frame = /^(?=.*\)$)\s+[0-9a-f]+ (.+) \((.*)\)$/;
const lost_record = 'PERF_RECORD_LOST';
const last_number = /(?<!\d)(\d{1,15})\s*$/;
const max_frames = 64;

const lostRecords = (line: string): number =>
  line.includes(lost_record) ? Number(last_number.exec(line)?.[1] ?? 0) : 0;

/**
 * `perf script --ns -F trace:comm,pid,tid,cpu,time,event,trace[,ip,sym,dso]` piece by piece
 * (perf 6.1), in the order of time.
 *
 *     bash 11116/11116 [001] 14021.673505123: task:task_newtask: pid=11123 comm=bash clone_flags=1200000
 *     	ffffffff821facd8 __schedule ([kernel.kallsyms])
 *
 * A name with a newline tears its own events: those are skipped.
 */
export function perfEventsParser(onEvent: (event: PerfEventRecord) => void): PerfEventsParser {
  let rest = '';
  let lost = 0;
  let open: (Omit<PerfEventRecord, 'frames'> & { frames: string[] }) | null = null;

  const close = (): void => {
    if (open) onEvent(open);
    open = null;
  };

  const readLine = (line: string): void => {
    const [, symbol, module = ''] = open ? (frame.exec(line) ?? []) : [];
    if (symbol !== undefined) {
      if (open && open.frames.length < max_frames) open.frames.push(frameName(symbol, module));
      return;
    }
    close();
    const [, comm, pid, tid, seconds, fraction, event, text] = header.exec(line) ?? [];
    if (comm === undefined || event === undefined) {
      lost += lostRecords(line);
      return;
    }
    const time_ns = Number(seconds) * 1e9 + Number(fraction);
    open = {
      comm,
      pid: Number(pid),
      tid: Number(tid),
      time_ns,
      event,
      text: text ?? '',
      frames: [],
    };
  };

  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) readLine(line);
    },
    end() {
      close();
      return { lost };
    },
  };
}

/** The core kernel without its module; a program's function with the file that it is in. */
function frameName(symbol: string, module: string): string {
  if (module.startsWith('[kernel')) return symbol;
  const file = module.slice(module.lastIndexOf('/') + 1);
  return `${symbol} [${file.replace(/^\[(.*)\]$/, '$1')}]`;
}

/** All events of a text, for a file that came from another machine. */
export function parsePerfEvents(text: string) {
  const events: PerfEventRecord[] = [];
  const parser = perfEventsParser((event) => events.push(event));
  parser.push(text);
  return { events, ...parser.end() };
}
