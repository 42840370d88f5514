import { fileUses, functionUses } from '../analysis/python-functions.ts';
import { type Hotspot, type HotspotType, waits } from '../analysis/python-hotspots.ts';
import type { Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Unavailable } from '../reading.ts';
import { loadProfile, type StoredProfile } from './python-profiles.ts';
import { shownHotspots } from './python-shown.ts';
import { leakRows, profileInWords, profileSummary, recommendations } from './python-summary.ts';
import { count } from './topology-words.ts';

/** What a profile does not hold, and how to get it. */
export function pythonNotes({ profile, run }: StoredProfile): Unavailable[] {
  const notes: Unavailable[] = [];
  if (profile.gpu_device === null) {
    notes.push({
      what: 'gpu',
      reason: 'Scalene found no GPU, or was not asked to look.',
      fix: 'gpu=true on a host with an NVIDIA or Neuron device',
    });
  }
  if (!run.memory_profiled) {
    notes.push({ what: 'memory', reason: 'Only the CPU was profiled.', fix: 'memory=true' });
  } else if (!profile.max_footprint_mb) {
    const reason = 'No allocation was sampled: below one sampling window all are invisible.';
    notes.push({ what: 'memory', reason, fix: 'allocation_sampling_window=262144' });
  }
  if (run.partial) {
    const reason = 'The program was stopped: the profile holds what was sampled until then.';
    notes.push({ what: 'the rest of the run', reason, fix: 'a larger timeout' });
  }
  return notes;
}

const provenance = (stored: StoredProfile) => ({
  source: `Scalene ${stored.run.scalene_version}`,
  window_ms: Math.round(stored.run.wall_s * 1000),
  warnings: stored.run.warnings,
});

const costs: Readonly<Record<HotspotType, string>> = {
  cpu: 'CPU time',
  memory: 'memory',
  gpu: 'GPU time',
};

type HotspotQuery = Readonly<{ profile_id: string; top_n: number; offset: number }>;

/** The dearest lines of one kind. */
export function readHotspots(
  ctx: Context,
  type: HotspotType,
  { profile_id, top_n, offset }: HotspotQuery,
) {
  const stored = loadProfile(ctx, profile_id);
  const rows = shownHotspots(stored, type);
  const part = page(rows, { limit: top_n, offset });
  const notes = pythonNotes(stored).filter((note) => type !== 'cpu' && note.what === type);
  return {
    ...provenance(stored),
    data: { profile_id, hotspots: part.rows },
    ...cut(part, `get_${type}_hotspots with offset=${part.next_offset}`),
    unavailable: notes,
    summary: [
      rows.length === 0
        ? `No line of ${stored.run.program} costs ${costs[type]}.`
        : `${stored.run.program}: ${count(rows.length, 'line')} with a cost of ${costs[type]}.`,
      ...rows.slice(0, 3).map(hotspotInWords),
    ],
  };
}

function hotspotInWords({ type, filename, lineno, line, ...row }: Hotspot): string {
  const cost = {
    cpu: `${row.cpu_percent} % CPU (${row.python_percent} Python, ${row.native_percent} native)`,
    memory: `peak ${row.memory_mb} MB`,
    gpu: `${row.gpu_percent} % GPU`,
  }[type];
  return `${filename}:${lineno} ${cost}: ${line}`;
}

type AnalyzeQuery = Readonly<{
  profile_id: string;
  focus: 'cpu' | 'memory' | 'gpu' | 'all';
  top_n: number;
  cpu_threshold: number;
  memory_threshold_mb: number;
}>;

/** All views of a profile side by side, each cut to `top_n`. */
export function analyzeProfile(ctx: Context, query: AnalyzeQuery) {
  const { profile_id, focus, top_n } = query;
  const stored = loadProfile(ctx, profile_id);
  const { profile, run } = stored;
  const least = { cpu: query.cpu_threshold, memory: query.memory_threshold_mb, gpu: 0 };
  const types: readonly HotspotType[] = focus === 'all' ? ['cpu', 'memory', 'gpu'] : [focus];
  const rows = types.flatMap((type) => shownHotspots(stored, type, least[type]).slice(0, top_n));
  const advice = recommendations(profile);
  const words = profileInWords(stored);
  return {
    ...provenance(stored),
    data: {
      profile_id,
      focus,
      summary: profileSummary(stored),
      hotspots: rows,
      bottlenecks: bottleneckRows(stored, query),
      leaks: run.view.memory_leak_detector ? leakRows(profile).slice(0, top_n) : [],
      waiting: waits(profile)
        .slice(0, top_n)
        .map(({ file, line, source, waiting_pct }) => ({
          file,
          line,
          code: source.trim(),
          waiting_percent: Math.round((waiting_pct ?? 0) * 10) / 10,
        })),
      by_file: Object.fromEntries(
        fileUses(profile)
          .slice(0, top_n)
          .map(({ file, ...use }) => [file, use]),
      ),
      by_function: Object.fromEntries(
        functionUses(profile)
          .slice(0, top_n)
          .map(({ function_name, ...use }) => [
            `${function_name} (${use.file}:${use.start_line})`,
            use,
          ]),
      ),
      recommendations: advice,
      summary_text: [...words, ...advice].join('\n'),
    },
    unavailable: pythonNotes(stored),
    summary: [...words, ...advice.slice(0, 3)],
  };
}

type BottleneckQuery = Readonly<{
  profile_id: string;
  cpu_threshold: number;
  memory_threshold_mb: number;
}>;

export function readBottlenecks(ctx: Context, query: BottleneckQuery) {
  const stored = loadProfile(ctx, query.profile_id);
  const rows = bottleneckRows(stored, query);
  const all = [...rows.cpu, ...rows.memory, ...rows.gpu];
  return {
    ...provenance(stored),
    data: { profile_id: query.profile_id, ...rows },
    unavailable: pythonNotes(stored),
    summary: [
      all.length === 0
        ? `No line of ${stored.run.program} is above the thresholds.`
        : `${rows.cpu.length} CPU, ${rows.memory.length} memory and ${rows.gpu.length} GPU bottlenecks.`,
      ...all
        .filter((row) => row.severity !== 'low' && row.recommendation)
        .slice(0, 3)
        .map(
          (row) =>
            `${row.file}:${row.line} (${row.severity}, ${row.evidence}): ${row.recommendation}`,
        ),
    ],
  };
}

const most_bottlenecks = 20;

/** Dearest first, under the names that the documents give bottlenecks. */
function bottleneckRows(
  stored: StoredProfile,
  { cpu_threshold, memory_threshold_mb }: Omit<BottleneckQuery, 'profile_id'>,
) {
  const lineOf = new Map(
    stored.profile.files.flatMap((file) =>
      file.lines.map((line) => [`${file.path}:${line.line}`, line] as const),
    ),
  );
  const rows = (type: HotspotType, least: number) =>
    shownHotspots(stored, type, least)
      .slice(0, most_bottlenecks)
      .map(
        ({ filename, lineno, line: code, severity, rule, recommendation, evidence, ...hot }) => ({
          type,
          severity,
          file: filename,
          line: lineno,
          code,
          function_name: hot.function_name,
          rule,
          recommendation,
          evidence,
          ...measured(type, hot, lineOf.get(`${filename}:${lineno}`)),
        }),
      );
  return {
    cpu: rows('cpu', cpu_threshold),
    memory: rows('memory', memory_threshold_mb),
    gpu: rows('gpu', 0),
  };
}

type Measured = Pick<
  Hotspot,
  'cpu_percent' | 'python_percent' | 'native_percent' | 'memory_mb' | 'gpu_percent'
>;
type Line = StoredProfile['profile']['files'][number]['lines'][number] | undefined;

function measured(type: HotspotType, hot: Measured, line: Line) {
  const { cpu_percent, python_percent, native_percent, memory_mb, gpu_percent } = hot;
  if (type === 'cpu') return { cpu_percent, python_percent, native_percent };
  if (type === 'gpu') return { gpu_percent, gpu_memory_mb: line?.gpu_memory_mb ?? null };
  return {
    peak_mb: memory_mb,
    average_mb: line?.average_mb ?? null,
    alloc_mb: line?.allocated_mb ?? null,
  };
}

/** Functions by CPU time; together they are the whole run. */
export function readFunctionSummary(ctx: Context, { profile_id, top_n, offset }: HotspotQuery) {
  const stored = loadProfile(ctx, profile_id);
  const rows = functionUses(stored.profile);
  const part = page(rows, { limit: top_n, offset });
  return {
    ...provenance(stored),
    data: { profile_id, functions: part.rows.map((row) => ({ ...row, call_count: null })) },
    ...cut(part, `get_function_summary with offset=${part.next_offset}`),
    unavailable: [
      {
        what: 'call_count',
        reason: 'Scalene samples; it does not count calls.',
        fix: 'python3 -m cProfile counts calls, at a higher cost.',
      },
    ],
    summary: rows
      .slice(0, 4)
      .map(
        ({ function_name, file, cpu_percent, waiting_percent }) =>
          `${function_name} (${file}): ${cpu_percent} % CPU, ${waiting_percent} % waiting.`,
      ),
  };
}
