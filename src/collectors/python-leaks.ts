import { tracemallocRun } from '../../allowlist/tracemalloc.ts';
import { parseTracemalloc } from '../../parsers/tracemalloc/tracemalloc.ts';
import { type Growth, memoryGrowth } from '../analysis/memory-growth.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { findInterpreter } from './python-interpreter.ts';
import { loadProfile, type StoredProfile } from './python-profiles.ts';
import { preparePython } from './python-program.ts';
import { pythonEnvironment } from './python-run.ts';
import { leakRows } from './python-summary.ts';

type Query = Readonly<{ profile_id: string; verify: boolean; timeout: number }>;

const outfile = 'tracemalloc.json';
const largest_report_bytes = 64 * 1024 * 1024;

/** Scalene's verdicts; with `verify` what a second run under tracemalloc says of them. */
export async function findLeaks(ctx: Context, query: Query, call: Call) {
  const stored = loadProfile(ctx, query.profile_id);
  const hints = stored.run.view.memory_leak_detector ? leakRows(stored.profile) : [];
  if (!query.verify) return unverified(stored, hints);
  const { growth, elapsed_s, exit } = await verify(ctx, stored, query.timeout, call);
  const growing = growth.filter((each) => each.verdict === 'growing');
  const undecided = growth.filter((each) => each.verdict === 'too few snapshots');
  const isGrowing = (file: string, line: number): boolean =>
    growing.some((each) => sameFile(each.file, file) && each.line === line);
  return {
    data: {
      profile_id: query.profile_id,
      verified: true,
      leaks: [
        ...growing.map(({ file, line, held_mb, growth_mb_per_s }) => ({
          filename: file,
          lineno: line,
          line: sourceAt(stored, file, line),
          verdict: 'growing',
          held_mb,
          velocity_mb_s: growth_mb_per_s,
        })),
        ...hints
          .filter((hint) => !isGrowing(hint.filename, hint.lineno))
          .map((hint) => ({ ...hint, verdict: 'not confirmed' })),
      ],
      growth: growth.slice(0, 20),
      exit,
    },
    source: `tracemalloc, Scalene ${stored.run.scalene_version}`,
    window_ms: Math.round(elapsed_s * 1000),
    warnings: [
      ...(undecided.length > 0
        ? [
            `${undecided.length} lines could not be judged: the run was too short for its many objects.`,
          ]
        : []),
      'A structure that is still being built looks like a leak: judge by what the line keeps.',
      'tracemalloc sees what Python allocates, not memory of native libraries.',
    ],
    summary: [
      growing.length === 0
        ? `No line held more and more memory until the end of ${round(elapsed_s)} s.`
        : `${growing.length} lines held more and more memory until the end of ${round(elapsed_s)} s.`,
      ...growing
        .slice(0, 3)
        .map(
          (each) =>
            `${each.file}:${each.line} holds ${each.held_mb} MB, +${each.growth_mb_per_s} MB/s.`,
        ),
    ],
  };
}

function unverified(stored: StoredProfile, hints: ReturnType<typeof leakRows>) {
  return {
    data: {
      profile_id: stored.profile_id,
      verified: false,
      leaks: hints.map((hint) => ({ ...hint, verdict: 'hint of Scalene' })),
    },
    source: `Scalene ${stored.run.scalene_version}`,
    window_ms: Math.round(stored.run.wall_s * 1000),
    warnings: ["Scalene's verdicts name wrong lines and miss leaks: verify=true makes sure."],
    summary: [
      hints.length === 0
        ? 'Scalene reports no leak, which does not say that there is none.'
        : `Scalene suspects ${hints.length} lines: ${hints
            .slice(0, 3)
            .map((each) => `${each.filename}:${each.lineno}`)
            .join(', ')}.`,
    ],
  };
}

async function verify(ctx: Context, stored: StoredProfile, timeout_s: number, call: Call) {
  const program = preparePython(ctx, stored.run.source);
  const { workspace, sandbox, target, folder } = program;
  try {
    const interpreter = await findInterpreter(ctx, folder, sandbox, call);
    const probe = workspace.write('tracemalloc-probe.py', ctx.pythonScript('tracemalloc-probe'));
    call.progress('the program runs again');
    const finished = await ctx.run(
      tracemallocRun({
        interpreter,
        probe,
        outfile: `${workspace.path}/${outfile}`,
        target,
        args: stored.run.args,
        environment: pythonEnvironment(workspace.path),
        sandbox,
        duration_ms: timeout_s * 1000,
      }),
      { signal: call.signal },
    );
    const text = workspace.read(outfile, largest_report_bytes);
    if (text === null) {
      throw new TracewrightError(
        finished.stopped_by === 'deadline' ? 'TIMEOUT' : 'EXECUTION_FAILED',
        `The second run left no report: ${finished.stderr.trim().split('\n').at(-1) ?? ''}`,
        'Give a larger timeout, or a smaller workload.',
      );
    }
    const report = parseTracemalloc(text);
    return { growth: plain(memoryGrowth(report)), elapsed_s: report.elapsed_s, exit: report.exit };
  } finally {
    workspace.remove();
  }
}

/** A text that was run lay in a folder of its own, another one each time. */
const plain = (growth: readonly Growth[]): Growth[] =>
  growth.map((each) => ({ ...each, file: each.file.replace(/^.*\/tracewright-[^/]*\/run\//, '') }));

const sameFile = (a: string, b: string): boolean => a === b || a.endsWith(`/${b}`);

const sourceAt = ({ profile }: StoredProfile, file: string, line: number): string =>
  profile.files
    .find((each) => sameFile(file, each.path) || sameFile(each.path, file))
    ?.lines.find((each) => each.line === line)
    ?.source.trim() ?? '';

const round = (value: number): number => Math.round(value * 10) / 10;
