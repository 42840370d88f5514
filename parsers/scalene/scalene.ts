import { ParseError } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';
import { type Fields, isFields, list, number, text } from './fields.ts';
import { parseStacks, type ScaleneStack } from './stacks.ts';

/**
 * What Scalene measured on a line or in a function. Percentages are of the sampled wall time of the
 * whole run, so all lines together give about 100. Null where the version or the run has none.
 */
export type ScaleneUse = Readonly<{
  /** Running Python's own instructions. */
  python_pct: number | null;
  /** Running native code called from the line. */
  native_pct: number | null;
  /** Not on a CPU: sleeping, waiting for I/O or a lock, or for a free CPU. Scalene says "system". */
  waiting_pct: number | null;
  gpu_pct: number | null;
  gpu_memory_mb: number | null;
  /** Largest footprint while the line allocated, and its mean. */
  peak_mb: number | null;
  average_mb: number | null;
  /** All that was allocated, freed or not. */
  allocated_mb: number | null;
  /** Allocations sampled: one for each allocation window, not each call. */
  sampled_allocations: number | null;
  /** Share of all allocated volume. */
  allocated_pct: number | null;
  copied_mb_per_s: number | null;
  /** Of all cores, while the line ran. */
  core_utilization_pct: number | null;
  /** CPU samples taken on it; null before 1.5.54. */
  cpu_samples: number | null;
}>;

export type ScaleneLine = ScaleneUse &
  Readonly<{
    line: number;
    source: string;
    /** First and last line of the outermost loop around it. */
    loop: readonly [number, number] | null;
    /** First line of the function around it; null before 2.0 and at module level. */
    function_line: number | null;
  }>;

export type ScaleneFunction = ScaleneUse & Readonly<{ name: string; line: number }>;

/** Scalene's own verdict, which is wrong as often as right. */
export type ScaleneLeak = Readonly<{
  line: number;
  likelihood: number | null;
  velocity_mb_per_s: number | null;
}>;

export type ScaleneFile = Readonly<{
  path: string;
  /** Of the sampled time. */
  share_pct: number | null;
  lines: readonly ScaleneLine[];
  functions: readonly ScaleneFunction[];
  leaks: readonly ScaleneLeak[];
}>;

export type ScaleneProfile = Readonly<{
  /** The file carries no version: fields that only 2.x writes tell them apart. */
  series: '1.x' | '2.x';
  elapsed_s: number | null;
  program: string | null;
  /** Null in a profile that SIGTERM ended. */
  args: readonly string[] | null;
  /** Whether memory was profiled. */
  memory: boolean;
  gpu_device: string | null;
  max_footprint_mb: number | null;
  /** Growth of the footprint over the run, in percent of its maximum. */
  growth_pct: number | null;
  allocation_samples: number | null;
  /** Seconds since the start and MB of footprint. */
  footprint: readonly (readonly [number, number])[];
  files: readonly ScaleneFile[];
  stacks: readonly ScaleneStack[];
}>;

/**
 * The JSON that `scalene --json` (1.5) and `scalene run` (2.x) write (scalene/scalene_json.py).
 * `null` for `{}`, which Scalene writes when it took no sample. ParseError for anything that is not
 * such a profile: with a browser at hand 1.5 writes HTML.
 */
export function parseScalene(input: string): ScaleneProfile | null {
  const top = readJson(input);
  if (Object.keys(top).length === 0) return null;
  if (!isFields(top['files'])) throw new ParseError('no "files": not a profile of Scalene');
  const device = text(top['gpu_device'], 40);
  return {
    series: 'start_time_perf' in top || 'async_profile' in top ? '2.x' : '1.x',
    elapsed_s: number(top['elapsed_time_sec']),
    program: text(top['program'], 500),
    args: Array.isArray(top['args']) ? top['args'].map((each) => untrusted(String(each))) : null,
    memory: top['memory'] === true,
    gpu_device: device === '' ? null : device,
    max_footprint_mb: number(top['max_footprint_mb']),
    growth_pct: number(top['growth_rate']),
    allocation_samples: number(top['alloc_samples']),
    footprint: footprint(top['samples']),
    files: Object.entries(top['files']).map(([path, file]) => readFile(path, file)),
    stacks: parseStacks(top['stacks']),
  };
}

function readJson(input: string): Fields {
  const head = input.trimStart().slice(0, 100);
  if (head.startsWith('<')) throw new ParseError('HTML where JSON was asked for');
  let value: unknown;
  try {
    // Python's json writes NaN and Infinity, which no other reader takes.
    value = JSON.parse(
      input.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
        token.startsWith('"') ? token : 'null',
      ),
    );
  } catch {
    // biome-ignore lint/style/useErrorCause: the cause quotes the input, which may be anybody's text
    throw new ParseError('not JSON, or its end is missing');
  }
  if (!isFields(value)) throw new ParseError('not an object');
  return value;
}

function readFile(path: string, file: unknown): ScaleneFile {
  if (!isFields(file)) throw new ParseError('a file is not an object');
  return {
    path: untrusted(path, 1000),
    share_pct: number(file['percent_cpu_time']),
    lines: list(file['lines']).flatMap(readLine),
    functions: list(file['functions']).flatMap(readFunction),
    leaks: readLeaks(file['leaks']),
  };
}

function readLine(row: Fields): ScaleneLine[] {
  const line = number(row['lineno']);
  if (line === null) return [];
  const first = number(row['start_outermost_loop']) ?? line;
  const last = number(row['end_outermost_loop']) ?? line;
  const function_line = number(row['start_function_line']);
  return [
    {
      line,
      source: sourceOf(row['line']),
      loop: first < last ? [first, last] : null,
      function_line: function_line === 0 ? null : function_line,
      ...use(row),
    },
  ];
}

function readFunction(row: Fields): ScaleneFunction[] {
  const line = number(row['lineno']);
  // The name stands where a line has its source.
  return line === null ? [] : [{ name: sourceOf(row['line']).trim(), line, ...use(row) }];
}

function use(row: Fields): ScaleneUse {
  const share = number(row['n_usage_fraction']);
  const cores = number(row['n_core_utilization']);
  const samples = row['cpu_samples_list'];
  return {
    python_pct: number(row['n_cpu_percent_python']),
    native_pct: number(row['n_cpu_percent_c']),
    waiting_pct: number(row['n_sys_percent']),
    gpu_pct: number(row['n_gpu_percent']),
    gpu_memory_mb: number(row['n_gpu_peak_memory_mb']),
    peak_mb: number(row['n_peak_mb']),
    average_mb: number(row['n_avg_mb']),
    allocated_mb: number(row['n_malloc_mb']),
    sampled_allocations: number(row['n_mallocs']),
    allocated_pct: share === null ? null : share * 100,
    copied_mb_per_s: number(row['n_copy_mb_s']),
    core_utilization_pct: cores === null ? null : cores * 100,
    cpu_samples: Array.isArray(samples) ? samples.length : null,
  };
}

function readLeaks(leaks: unknown): ScaleneLeak[] {
  if (!isFields(leaks)) return [];
  return Object.entries(leaks).flatMap(([at, leak]) => {
    const line = Number(at);
    if (!isFields(leak) || !Number.isInteger(line)) return [];
    return [
      {
        line,
        likelihood: number(leak['likelihood']),
        velocity_mb_per_s: number(leak['velocity_mb_s']),
      },
    ];
  });
}

function footprint(samples: unknown): [number, number][] {
  if (!Array.isArray(samples)) return [];
  return samples.flatMap((pair: unknown): [number, number][] => {
    const [at_ns, mb] = Array.isArray(pair) ? pair.map(number) : [];
    return at_ns == null || mb == null ? [] : [[at_ns / 1e9, mb]];
  });
}

/** A line of source: `<`, `>` and `&` come as the six characters of a JavaScript escape. */
function sourceOf(value: unknown): string {
  if (typeof value !== 'string') return '';
  const plain = value
    .replace(/\\u003c/g, '<')
    .replace(/\\u003e/g, '>')
    .replace(/\\u0026/g, '&')
    .replaceAll('\t', '    ');
  const indent = /^ */.exec(plain)?.[0] ?? '';
  return (indent.slice(0, 100) + untrusted(plain, 300)).trimEnd();
}
