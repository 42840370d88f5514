import { ParseError, type ParseWarning, warn } from '../parsed.ts';

/** What kinds of stacks a trace holds: on CPU, off CPU, of wakers, and of counters by their name. */
export type WprofKind = 'timer' | 'offcpu' | 'waker' | `pmu ${string}`;

export type WprofSample = Readonly<{
  kind: WprofKind;
  stack_id: number;
  pid: number | null;
  tid: number | null;
  comm: string | null;
  /** Seconds off the CPU for `offcpu`, events of the counter for `pmu`; else samples. */
  weight: number;
  count: number;
}>;

export type WprofFrame = Readonly<{ name: string; kind: 'kernel' | 'user' | 'python' | 'inlined' }>;

export type WprofTrace = Readonly<{
  version: string;
  duration_s: number;
  timer_freq_hz: number;
  /** Outermost first, by id. */
  stacks: ReadonlyMap<number, readonly WprofFrame[]>;
  /** Added up by kind, stack and thread. */
  samples: readonly WprofSample[];
  warnings: readonly ParseWarning[];
}>;

const max_warnings = 20;
type Json = Readonly<Record<string, unknown>>;

/**
 * What `wprof -J` writes (its JSON_SCHEMA.md, version 3.1): a header, one line for each stack, then the
 * events. Times are seconds. Events without a stack are not looked at.
 *
 *     {"id":42,"frames":["[U] main+0x1a","[K] do_syscall_64+0x6b","[K] schedule+0x8e"]}
 *     {"ts":0.010012345,"t":"timer","task":{"tid":1234,"pid":1000,"comm":"myapp"},"cpu":5,"stack_id":17}
 *
 * @throws ParseError where the first line is no header of version 3, or another major version
 */
export function parseWprof(text: string): WprofTrace {
  const warnings: ParseWarning[] = [];
  const stacks = new Map<number, readonly WprofFrame[]>();
  const samples = new Map<string, { -readonly [K in keyof WprofSample]: WprofSample[K] }>();
  let from = text.indexOf('\n');
  const header = readHeader(from < 0 ? text : text.slice(0, from));
  for (let line = 2; from >= 0 && from + 1 < text.length; line++) {
    const end = text.indexOf('\n', from + 1);
    readLine(text.slice(from + 1, end < 0 ? text.length : end), line);
    from = end;
  }
  return { ...header, stacks, samples: [...samples.values()], warnings };

  function readLine(words: string, number: number): void {
    // Most events of a long trace have none: parsing them would be most of the work.
    if (words.trim() === '' || !(words.includes('stack_id"') || words.startsWith('{"id"'))) return;
    const record = json(words);
    if (record === null) {
      if (warnings.length < max_warnings) warnings.push(warn(number, 'not JSON', words));
      return;
    }
    const { id, frames } = record;
    if (typeof id === 'number' && Number.isFinite(id) && Array.isArray(frames)) {
      stacks.set(
        id,
        frames.map((each) => frameOf(String(each))),
      );
    } else eventSamples(record).forEach(add);
  }

  function add(sample: WprofSample): void {
    const key = `${sample.kind} ${sample.stack_id} ${sample.tid} ${sample.comm}`;
    const known = samples.get(key);
    if (!known) samples.set(key, { ...sample });
    else {
      known.weight += sample.weight;
      known.count += sample.count;
    }
  }
}

function readHeader(text: string) {
  const header = json(text);
  const version = header?.['version'];
  if (header === null || typeof version !== 'string' || !('stack_cnt' in header)) {
    throw new ParseError('this is no trace of wprof: its first line is no header', 1);
  }
  if (!version.startsWith('3.')) {
    throw new ParseError(`a trace of wprof in version ${version.slice(0, 20)}; 3 is understood`, 1);
  }
  return {
    version,
    duration_s: number(header['dur']) ?? 0,
    timer_freq_hz: number(header['timer_freq_hz']) ?? 0,
  };
}

/** A switch tells of the thread that comes back: how long it was away, and where it had gone. */
function eventSamples(event: Json): readonly WprofSample[] {
  const { t } = event;
  if (t === 'timer') return sampleOf('timer', event['stack_id'], event['task'], 1);
  if (t === 'switch') {
    const away_s = number(event['offcpu_dur']);
    return away_s === null
      ? []
      : sampleOf('offcpu', event['offcpu_stack_id'], event['next'], away_s);
  }
  if (t === 'waking' || t === 'wakeup_new') {
    return sampleOf('waker', event['waker_stack_id'], event['waker'], 1);
  }
  if (t !== 'pmu_event') return [];
  const name = typeof event['pmu'] === 'string' ? event['pmu'] : 'counter';
  const weight = number(event['sample_period']) ?? 1;
  return sampleOf(`pmu ${name}`, event['stack_id'], event['task'], weight);
}

function sampleOf(
  kind: WprofKind,
  stack: unknown,
  task: unknown,
  weight: number,
): readonly WprofSample[] {
  const stack_id = number(stack);
  if (stack_id === null) return [];
  const { pid, tid, comm } = isObject(task) ? task : {};
  const name = typeof comm === 'string' ? comm : null;
  return [{ kind, stack_id, pid: number(pid), tid: number(tid), comm: name, weight, count: 1 }];
}

const kinds: Readonly<Record<string, WprofFrame['kind']>> = {
  K: 'kernel',
  U: 'user',
  Py: 'python',
};

/** "[K] name+0x1a", "[U] name (inlined)", "[Py] name", "[U] <unknown>". */
function frameOf(text: string): WprofFrame {
  const [, mark = 'U', rest = text] = /^\[(K|U|Py)\] (.*)$/s.exec(text) ?? [];
  const inlined = rest.endsWith(' (inlined)');
  const plain = inlined ? rest.slice(0, -' (inlined)'.length) : rest.replace(/\+0x[0-9a-f]+$/, '');
  const name = plain === '<unknown>' ? '[unknown]' : plain;
  return { name, kind: inlined ? 'inlined' : (kinds[mark] ?? 'user') };
}

function json(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON of 1e400 is infinite. */
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
