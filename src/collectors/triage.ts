import { triageCauses } from '../analysis/triage-causes.ts';
import type { Area, TriageFacts } from '../analysis/triage-facts.ts';
import { areas, triageFindings } from '../analysis/triage-findings.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import { refuseProcess, toolRefusal } from '../policy/refusals.ts';
import { scanProcesses } from './process-scan.ts';
import { round } from './rates.ts';
import { tracedProcess } from './traced-process.ts';
import { type HostView, viewHost } from './triage-host.ts';
import { type Focus, measuredNothing, type Step, stepsOf } from './triage-steps.ts';
import { healthOf, triageActions, triageWords } from './triage-words.ts';

type Query = Readonly<{
  mode: 'quick' | 'standard' | 'deep';
  focus: Focus;
  pid?: number | undefined;
  process_name?: string | undefined;
  include_exec_trace: boolean;
}>;

type Target = Readonly<{ pid: number | null; process_name: string | null; scope: string }>;

/** Wall clock, everything included; what has not ended by then is left out and named. */
const budgets_ms = { quick: 5000, standard: 10_000, deep: 30_000 } as const;
/**
 * The window of /proc. It ends before the tracers start: they take seconds of CPU time to compile, and
 * would be the load that is found.
 */
const windows_ms = { quick: 2000, standard: 2500, deep: 5000 } as const;
/** For causes, words, and the tracers' own ends. */
const reserve_ms = 700;
const most_processes = 8;
const most_evidence = 10;

const nothing: Omit<TriageFacts, keyof HostView['facts'] | 'focus_pid'> = {
  run_queue: null,
  block: null,
  slow_files: null,
  execs: null,
  functions: null,
  blocked: null,
  blocked_processes: null,
  syscalls: null,
  names: null,
  fds: null,
};

/**
 * What is wrong with this host, in one call: measures side by side, holds the figures against
 * thresholds, and ranks what would explain them.
 *
 * @throws TracewrightError PID_NOT_FOUND
 */
export async function collectTriage(ctx: Context, query: Query, call: Call) {
  const started_ms = ctx.monotonicMs();
  const target = await targetOf(ctx, query, call);
  const { mode, focus, include_exec_trace } = query;
  const budget_ms = budgets_ms[mode] - reserve_ms;
  const view = await viewHost(ctx, windows_ms[mode], call);
  const { busy_pct } = view.facts;
  const steps = stepsOf({ mode, focus, pid: target.pid, include_exec_trace, busy_pct });
  const outcomes = await runSteps(ctx, steps, started_ms + budget_ms, call);
  const facts: TriageFacts = Object.assign(
    { focus_pid: target.pid },
    nothing,
    view.facts,
    ...outcomes.map((outcome) => outcome.facts),
  );
  const all = triageFindings(facts);
  const findings = all.filter(({ category }) => isAsked(category, focus));
  const causes = triageCauses(facts, all).filter(({ category }) => isAsked(category, focus));
  const failed = outcomes.filter(({ problem }) => problem !== null);
  const gaps = view.gaps.filter(({ resource }) => isAsked(areas[resource], focus));
  const outcome = { findings, causes, gaps };
  const words = triageWords(outcome, busy_pct);
  return {
    data: {
      target,
      mode,
      duration_seconds: round((ctx.monotonicMs() - started_ms) / 1000, 1),
      tools_executed: [
        'perf_snapshot',
        'perf_use_check',
        ...outcomes.flatMap(({ tool, problem }) => (problem === null ? [tool] : [])),
      ],
      tools_failed: failed.map(({ tool, problem }) => ({ tool, reason: problem })),
      healthy: healthOf(outcome),
      root_causes: causes,
      all_findings: findings,
      key_evidence: findings
        .slice(0, most_evidence)
        .map(({ metric, value, threshold, source }) => ({ metric, value, threshold, source })),
      metrics_summary: metrics(view, facts),
      executive_summary: words.join(' '),
      recommended_actions: triageActions(outcome),
      tool_results: measured(facts),
    },
    source: ['/proc', ...new Set(outcomes.map(({ tool }) => tool))].join(', '),
    window_ms: view.window_ms,
    warnings: view.warnings,
    unavailable: [
      ...view.unavailable,
      ...failed.map(({ tool, problem }) => ({
        what: tool,
        reason: problem ?? '',
        fix: 'Call it alone for its reason and fix.',
      })),
    ],
    summary: words,
  };
}

/** A name is the process of that name that uses the CPUs most. */
async function targetOf(ctx: Context, { pid, process_name }: Query, call: Call): Promise<Target> {
  if (pid !== undefined) {
    const process = tracedProcess(ctx, pid);
    return { pid: process.pid, process_name: process.comm, scope: 'process' };
  }
  if (process_name === undefined) return { pid: null, process_name: null, scope: 'system' };
  const { processes } = await scanProcesses(ctx, call);
  const [match] = [...processes.values()]
    .filter(({ comm }) => comm === process_name || comm.startsWith(process_name.slice(0, 15)))
    .sort((a, b) => b.utime_ticks + b.stime_ticks - a.utime_ticks - a.stime_ticks);
  if (match) {
    // By its number it was looked at before the call; by a name it is known now.
    refuseProcess(ctx.policies, match.pid, ctx.usersOf);
    return { pid: match.pid, process_name: match.comm, scope: 'process' };
  }
  throw new TracewrightError(
    'PID_NOT_FOUND',
    `No process is called "${process_name.slice(0, 64)}".`,
    'Leave process_name out, or read stats://aggregated/process for the names there are.',
  );
}

/** Side by side, with a word each second. */
async function runSteps(
  ctx: Context,
  steps: readonly Step[],
  until_ms: number,
  call: Call,
): Promise<readonly Outcome[]> {
  const waiting = new Set(steps.map(({ tool }) => tool));
  const runs = Promise.all(
    steps.map(async (step) => {
      const outcome = await runStep(ctx, step, until_ms, call);
      waiting.delete(step.tool);
      return outcome;
    }),
  );
  const timer = new AbortController();
  const say = async (): Promise<void> => {
    while (waiting.size > 0 && !timer.signal.aborted) {
      call.progress(`waiting for ${[...waiting].join(', ')}`);
      await ctx.sleep(1000, timer.signal).catch(() => {});
    }
  };
  void say();
  try {
    return await runs;
  } finally {
    timer.abort();
  }
}

type Outcome = Readonly<{ tool: string; facts: Partial<TriageFacts>; problem: string | null }>;

async function runStep(ctx: Context, step: Step, until_ms: number, call: Call): Promise<Outcome> {
  const timer = new AbortController();
  const signal = AbortSignal.any([call.signal, timer.signal]);
  const late = new Promise<Outcome>((resolve) => {
    const left_ms = Math.max(0, until_ms - ctx.monotonicMs());
    ctx.sleep(left_ms, timer.signal).then(
      () => {
        resolve({
          tool: step.tool,
          facts: {},
          problem: 'It did not end within the time of this mode.',
        });
        timer.abort();
      },
      () => {},
    );
  });
  try {
    const refused = toolRefusal(ctx.policies, { name: step.tool, effect: 'capture' });
    if (refused) throw refused;
    return await Promise.race([
      late,
      step.run(ctx, { signal, progress: () => {} }).then((facts) => ({
        tool: step.tool,
        facts,
        problem: measuredNothing(facts) ? 'It could measure nothing here.' : null,
      })),
    ]);
  } catch (thrown) {
    call.signal.throwIfAborted();
    return { tool: step.tool, facts: {}, problem: toTracewrightError(thrown).message };
  } finally {
    timer.abort();
  }
}

const isAsked = (area: Area, focus: Focus): boolean => focus === 'auto' || area === focus;

function metrics({ activity, facts: { throttled } }: HostView, facts: TriageFacts) {
  const top = (sort: (a: TriageFacts['processes'][number]) => number) =>
    facts.processes
      .toSorted((a, b) => sort(b) - sort(a))
      .slice(0, most_processes)
      .filter((each) => sort(each) > 0);
  const { memory, pressure, shares } = activity;
  return {
    cpu: {
      cpus: facts.cpus,
      busy_pct: facts.busy_pct,
      iowait_pct: shares.iowait_pct,
      steal_pct: shares.steal_pct,
      run_queue: activity.run_queue,
      top_processes: top(({ cpu_pct }) => cpu_pct),
      throttled_cgroups: throttled?.slice(0, 5) ?? null,
    },
    memory: {
      total_bytes: memory?.total_bytes ?? null,
      available_bytes: memory?.available_bytes ?? null,
      swap_used_bytes: memory?.swap_used_bytes ?? null,
      major_faults_per_s: facts.major_faults_per_s,
      largest_processes: top(({ rss_bytes }) => rss_bytes ?? 0).slice(0, 3),
    },
    io: {
      disks: activity.disks?.slice(0, 3) ?? null,
      top_processes: top(({ io_bytes_per_s }) => io_bytes_per_s ?? 0).slice(0, 3),
      block: facts.block,
    },
    network: { retransmits_pct: activity.tcp?.retransmits_pct ?? null },
    syscalls: facts.syscalls,
    pressure: pressure === null ? null : activity.stalled,
  };
}

/** What the tracers brought, as far as they ran. */
function measured({
  run_queue,
  block,
  syscalls,
  functions,
  blocked,
  execs,
  names,
  fds,
  slow_files,
}: TriageFacts) {
  const all = {
    run_queue,
    block,
    syscalls,
    functions: functions?.slice(0, 5) ?? null,
    blocked: blocked?.slice(0, 5) ?? null,
    execs,
    names,
    fds,
    slow_files,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
