import type { Command } from '../../allowlist/command.ts';
import { bpfStatsHelper } from '../../allowlist/self.ts';
import { u64Growth } from '../../parsers/big-json.ts';
import type { BpfProgram } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Running } from '../exec/start.ts';
import { ownBundle } from '../paths.ts';
import { listPrograms } from './bpf-objects.ts';
import { runsPrivileged } from './privileges.ts';
import { perSecond, round } from './rates.ts';

/** What a program ran during a window. */
export type RunTime = Readonly<{
  run_count: number | null;
  run_count_per_s: number | null;
  run_time_ns: number | null;
  avg_run_time_ns: number | null;
  /** Of one CPU; a program can run on several at once. */
  cpu_pct: number | null;
}>;

export type RunTimes = Readonly<{
  programs: readonly BpfProgram[];
  errors: readonly string[];
  /** By program id; programs that were loaded during the window are not in it. */
  run_times: ReadonlyMap<number, RunTime>;
  window_ms: number;
  warnings: readonly string[];
}>;

const setting = '/proc/sys/kernel/bpf_stats_enabled';

export const enable_bpf_stats = 'sudo sysctl kernel.bpf_stats_enabled=1';

export function statsEnabled(ctx: Context): boolean | null {
  const value = ctx.files.number(setting);
  return value === null ? null : value !== 0;
}

/** Counting may go on for this long after the window: bpftool lists a loaded host in less. */
const slack_ms = 5000;

/**
 * Two samples of every program's run time, `ms` apart. Where the kernel does not count it, a helper
 * process switches that on for the window and back off; it outlives us to do so. NOT_ALLOWED in a
 * read-only server, PERMISSION_DENIED for others than root.
 */
export async function measureRunTimes(ctx: Context, ms: number, call: Call): Promise<RunTimes> {
  if (statsEnabled(ctx)) return await sampleTwice(ctx, ms, call);
  mayEnable(ctx);
  const helper = await startCounting(ctx, ms + slack_ms, call);
  try {
    return await sampleTwice(ctx, ms, call);
  } finally {
    helper.stop();
    // It could not put it back then: another one does.
    if ((await helper.finished).signal === 'SIGKILL') await ctx.run(windowOf(100));
  }
}

async function sampleTwice(ctx: Context, ms: number, call: Call): Promise<RunTimes> {
  const started_ms = ctx.monotonicMs();
  const before = await listPrograms(ctx, call);
  await ctx.sleep(ms, call.signal);
  const window_ms = Math.round(ctx.monotonicMs() - started_ms);
  const after = await listPrograms(ctx, call);
  const earlier = new Map(before.programs.map((program) => [program.id, program]));
  const run_times = after.programs.flatMap((program): [number, RunTime][] => {
    const then = earlier.get(program.id);
    return then ? [[program.id, runTime(then, program, window_ms)]] : [];
  });
  const switchedOff = 'Somebody switched kernel.bpf_stats_enabled off during the window.';
  return {
    ...after,
    run_times: new Map(run_times),
    window_ms,
    warnings: statsEnabled(ctx) ? [] : [switchedOff],
  };
}

function runTime(before: BpfProgram, after: BpfProgram, window_ms: number): RunTime {
  // bpftool leaves a counter out while it is 0.
  const run_count = u64Growth(before.run_cnt ?? 0, after.run_cnt ?? 0);
  const run_time_ns = u64Growth(before.run_time_ns ?? 0, after.run_time_ns ?? 0);
  return {
    run_count,
    run_count_per_s: perSecond(run_count, window_ms),
    run_time_ns,
    avg_run_time_ns: run_time_ns === null || !run_count ? null : round(run_time_ns / run_count),
    cpu_pct: run_time_ns === null ? null : round(run_time_ns / window_ms / 10_000, 3),
  };
}

function mayEnable(ctx: Context): void {
  if (ctx.settings.readOnly) {
    throw new TracewrightError(
      'NOT_ALLOWED',
      'stats_ms: kernel.bpf_stats_enabled is 0, and a read-only server does not switch it on.',
      `${enable_bpf_stats}, then read bpf://programs?stats_ms=1000 again.`,
    );
  }
  if (!runsPrivileged(ctx)) {
    throw new TracewrightError(
      'PERMISSION_DENIED',
      'stats_ms: only root may have the kernel count the run time of BPF programs.',
      'Start the server as root: sudo tracewright mcp',
    );
  }
}

const windowOf = (ms: number): Command => bpfStatsHelper(process.execPath, ownBundle(), ms);

/** Starts the helper and waits until the kernel counts. */
async function startCounting(ctx: Context, ms: number, call: Call): Promise<Running> {
  let said = '';
  let heard = (): void => {};
  const on = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const onStdout = (text: string): void => {
    said += text;
    if (said.startsWith('on\n')) heard();
  };
  const helper = await ctx.start(windowOf(ms), { signal: call.signal, onStdout });
  const ended = await Promise.race([on, helper.finished]);
  if (ended === undefined || said.startsWith('on\n')) return helper;
  throw new TracewrightError(
    'EXECUTION_FAILED',
    `The run time of BPF programs could not be switched on: ${untrusted(ended.stderr, 300)}`,
    enable_bpf_stats,
  );
}
