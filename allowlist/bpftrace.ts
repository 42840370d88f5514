import {
  type BpftraceProgram,
  chosenFunctions,
  programFile,
  programName,
  tellsOfAll,
  type Workshop,
} from './bpftrace-program.ts';
import {
  approve,
  type Command,
  type GivesWay,
  integer,
  oneOf,
  ownPath,
  type Subject,
} from './command.ts';
import { programs } from './programs.ts';
import { scriptSubject } from './script-subject.ts';

/** bpftrace compiles with LLVM before it attaches: a second, and many times that in an emulator. */
const startup_ms = 60_000;

/** Ten times the share of what runs with 0; far from what would keep the others off their CPUs. */
const before_others = -10;

export type BpftraceRun = Readonly<{
  program: BpftraceProgram;
  /** Positional parameters $1, $2, … : integers only. */
  parameters: readonly number[];
  /** When it is stopped, should nobody stop it before. */
  duration_ms: number;
  /**
   * `json`: one record per line, printed at once, with losses among them. `text`: as printf() writes
   * it, which costs less per event; losses are on stderr.
   */
  format?: 'json' | 'text';
  /**
   * `line` (default) writes each line at once, which for 100,000 lines a second costs the reader five
   * times as much as 4 KiB at a time (`full`). A program with `full` prints 4 KiB of control lines
   * every 100 or 200 ms, so that what came before does not wait:
   * interval:ms:200 { printf("#%-4094s\n", ""); }
   */
  buffering?: 'line' | 'full';
  /**
   * False: frames of programs are addresses. Naming them takes bpftrace milliseconds, and whoever
   * builds a program can put a line break into the names.
   */
  user_symbols?: boolean;
  /** Bytes of output after which it is stopped. */
  output_bytes?: number;
  /** Keys that a map holds; bpftrace's own default is 4096, and what comes after is lost. */
  map_keys?: number;
  /** Without warnings: since 0.19 or so each update of a map that is full makes one. */
  quiet?: boolean;
  /** Bytes of a text that a program takes along; default 64, at most 200 with 0.17. */
  string_bytes?: number;
  /**
   * It looks at the stacks of one process alone, whose symbols bpftrace may then keep: it reads them
   * anew for each frame otherwise, since the next process may have them at other addresses.
   */
  one_process?: boolean;
  /** Pages per CPU in which the kernel keeps events until bpftrace takes them; default 64. */
  buffer_pages?: number;
  /**
   * It goes before those that it watches: what it does not take in time is lost, most of all when the
   * host is so busy that somebody wants to know why.
   */
  goes_before?: boolean;
}>;

/**
 * The first line says that it attaches (0.17 has compiled then, later ones have attached), the next
 * that it watches, or what it saw. While it watches its own waits are among those that it measures.
 */
const untilItWatches = (
  { window_ms }: Pick<Subject, 'window_ms'>,
  duration_ms: number,
): GivesWay => ({
  ready_line: 1,
  watches_line: 2,
  window_ms: Math.min(window_ms ?? duration_ms, duration_ms),
});

/**
 * bpftrace runs only programs that are shipped or composed of them, with integers as parameters: text from a request
 * would be as good as root, since its safe mode does not stop it from reading any file.
 */
export function bpftraceScript(script: BpftraceRun, workshop: Workshop): Command {
  const { program, parameters, duration_ms, format = 'json', map_keys, buffer_pages } = script;
  const keys = map_keys === undefined ? null : integer('map_keys', map_keys, 16, 1_048_576);
  const text =
    script.string_bytes === undefined
      ? null
      : integer('string_bytes', script.string_bytes, 16, 200);
  const path = ownPath(programFile(program, workshop));
  const pages = buffer_pages === undefined ? null : integer('pages', buffer_pages, 1, 16_384);
  const subject = scriptSubject(programName(program), parameters, duration_ms);
  return approve({
    program: programs.bpftrace,
    args: [
      ...(format === 'json' ? ['-f', 'json'] : []),
      ...(script.quiet ? ['--no-warnings'] : []),
      ...['-B', oneOf('buffering', script.buffering ?? 'line', ['line', 'full'])],
      path,
      ...parameters.map((each) => integer('parameter', each, 0, 2 ** 32 - 1)),
    ],
    environment: {
      // Its name up to 0.18 and from then on.
      ...(keys === null ? {} : { BPFTRACE_MAP_KEYS_MAX: keys, BPFTRACE_MAX_MAP_KEYS: keys }),
      ...(text === null ? {} : { BPFTRACE_STRLEN: text, BPFTRACE_MAX_STRLEN: text }),
      ...(script.one_process ? { BPFTRACE_CACHE_USER_SYMBOLS: '1' } : {}),
      ...(pages === null ? {} : { BPFTRACE_PERF_RB_PAGES: pages }),
      ...(script.user_symbols === false ? { BPFTRACE_NO_USER_SYMBOLS: '1' } : {}),
    },
    needsTracefs: true,
    ...(script.goes_before
      ? { nice: before_others }
      : { gives_way: untilItWatches(subject, duration_ms) }),
    request: { maker: 'bpftraceScript', parameters: script },
    limits: {
      duration_ms: duration_ms + startup_ms,
      output_bytes: script.output_bytes ?? 256 * 1024 * 1024,
    },
    subject: {
      ...subject,
      ...(tellsOfAll(program, parameters) ? { watches: 'all' as const } : {}),
      functions: chosenFunctions(program),
    },
  });
}
