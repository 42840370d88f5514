import { triageCauses } from '../analysis/triage-causes.ts';
import type { Cause, Finding, TriageFacts } from '../analysis/triage-facts.ts';
import { triageFindings } from '../analysis/triage-findings.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import { toolRefusal } from '../policy/refusals.ts';
import { scanProcesses } from './process-scan.ts';
import { round } from './rates.ts';
import { tracedProcess } from './traced-process.ts';
import { type HostView, viewHost } from './triage-host.ts';
import { type Focus, type Step, stepsOf } from './triage-steps.ts';

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
  const findings = inFocus(all, focus);
  const causes = triageCauses(facts, all).filter(
    ({ category }) => focus === 'auto' || category === focus,
  );
  const failed = outcomes.filter(({ problem }) => problem !== null);
  const words = inWords(findings, causes, facts);
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
      healthy: causes.length === 0 && findings.every(({ severity }) => severity === 'info'),
      root_causes: causes,
      all_findings: findings,
      key_evidence: findings
        .slice(0, most_evidence)
        .map(({ metric, value, threshold, source }) => ({ metric, value, threshold, source })),
      metrics_summary: metrics(view, facts),
      executive_summary: words.join(' '),
      recommended_actions: actions(causes, findings),
      tool_results: measured(facts),
    },
    source: ['/proc', ...new Set(outcomes.map(({ tool }) => tool))].join(', '),
    window_ms: view.window_ms,
    warnings: view.warnings,
    unavailable: failed.map(({ tool, problem }) => ({
      what: tool,
      reason: problem ?? '',
      fix: 'Call it alone for its reason and fix.',
    })),
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
  if (match) return { pid: match.pid, process_name: match.comm, scope: 'process' };
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
      step
        .run(ctx, { signal, progress: () => {} })
        .then((facts) => ({ tool: step.tool, facts, problem: null })),
    ]);
  } catch (thrown) {
    call.signal.throwIfAborted();
    return { tool: step.tool, facts: {}, problem: toTracewrightError(thrown).message };
  } finally {
    timer.abort();
  }
}

const inFocus = (findings: readonly Finding[], focus: Focus): readonly Finding[] =>
  focus === 'auto' ? findings : findings.filter(({ category }) => category === focus);

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
      largest_processes: top(({ rss_bytes }) => rss_bytes).slice(0, 3),
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

function actions(causes: readonly Cause[], findings: readonly Finding[]): readonly string[] {
  if (causes.length > 0) {
    return [
      ...new Set(
        causes.slice(0, 3).flatMap(({ suggestedActions }) => suggestedActions.slice(0, 2)),
      ),
    ];
  }
  return findings.length === 0
    ? ['Nothing to do: no figure is beyond its threshold.']
    : ['No cause explains the findings: run perf_triage mode=deep while it is slow.'];
}

function inWords(
  findings: readonly Finding[],
  causes: readonly Cause[],
  facts: TriageFacts,
): string[] {
  const [first, ...others] = causes;
  if (!first) {
    const [worst] = findings;
    return worst
      ? [
          `No clear cause. ${findings.length} figures are beyond their thresholds, worst: ${worst.title}.`,
        ]
      : [`Healthy: CPUs ${facts.busy_pct ?? '?'} % busy, no figure is beyond its threshold.`];
  }
  return [
    `${first.title} (${first.severity}, confidence ${first.confidence} %).`,
    first.description,
    ...others.slice(0, 2).map((each) => `Also possible: ${each.title} (${each.confidence} %).`),
    ...first.suggestedActions.slice(0, 1),
  ];
}
