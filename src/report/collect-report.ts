import { programs } from '../../allowlist/programs.ts';
import { type ProcStat, parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { collectBioLatency } from '../collectors/bio-latency.ts';
import { collectCpuProfile } from '../collectors/cpu-profile.ts';
import { cpuShares, ticksByCpu } from '../collectors/cpu-shares.ts';
import { collectCurrentScheduler } from '../collectors/current-scheduler.ts';
import { kernelFacts } from '../collectors/kernel-facts.ts';
import { collectProcesses } from '../collectors/processes.ts';
import { loadCapture } from '../collectors/profile-captures.ts';
import { collectRunqLatency } from '../collectors/runq-latency.ts';
import { readTopology } from '../collectors/topology.ts';
import { bpfObstacle } from '../collectors/tracing-obstacles.ts';
import { collectTriage } from '../collectors/triage.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import { flamePicture } from '../profiles/flame-picture.ts';
import { flameSvg } from '../profiles/flame-svg.ts';
import type { Unavailable } from '../reading.ts';
import { version } from '../version.ts';
import type { Latency, ReportData, Triage, Utilisation } from './report-data.ts';

const most_processes = 20;
/** Ticks come 100 times a second: shorter steps would show little but rounding. */
const shortest_step_ms = 250;
const most_steps = 60;
const most_flame_bytes = 500_000;

/** Looks for what is wrong, then watches CPUs, latencies, functions and processes side by side. */
export async function collectReport(
  ctx: Context,
  seconds: number,
  call: Call,
): Promise<ReportData> {
  const missing: Unavailable[] = [];
  /** A part that fails is left out with its reason; the others are shown. */
  async function part<T>(what: string, take: () => T | Promise<T>): Promise<T | null> {
    try {
      return await take();
    } catch (thrown) {
      call.signal.throwIfAborted();
      const { message, suggestion } = toTracewrightError(thrown);
      missing.push({ what, reason: message, fix: suggestion });
      return null;
    }
  }
  const topology = await part('topology', () => readTopology(ctx.files));
  const scheduler = await part('scheduler', () => collectCurrentScheduler(ctx, call));
  const triage = await part('findings', () => findings(ctx, call));
  const [utilisation, waits, disks, processes, flame] = await Promise.all([
    part('CPU use over time', () => utilisationOver(ctx, seconds * 1000, call)),
    part('run queue latency', () => runQueue(ctx, seconds, missing, call)),
    part('block I/O latency', () => blockIo(ctx, seconds, missing, call)),
    part('processes', () => topProcesses(ctx, seconds * 1000, call)),
    part('CPU profile', () => flameOf(ctx, seconds, missing, call)),
  ]);
  return {
    host: ctx.host,
    kernel: kernelFacts(ctx).release.value,
    scheduler: scheduler?.data.name ?? null,
    version,
    made_at: ctx.now().toISOString(),
    seconds,
    topology,
    utilisation,
    latencies: [waits, disks].filter((each) => each !== null),
    processes,
    triage,
    flame,
    missing,
  };
}

async function findings(ctx: Context, call: Call): Promise<Triage> {
  const query = { mode: 'quick', focus: 'auto', include_exec_trace: false } as const;
  const { data } = await collectTriage(ctx, query, call);
  const { healthy, executive_summary: words, root_causes: causes, all_findings } = data;
  return { healthy, words, causes, findings: all_findings };
}

async function utilisationOver(ctx: Context, window_ms: number, call: Call): Promise<Utilisation> {
  const step_ms = Math.max(shortest_step_ms, window_ms / most_steps);
  const steps = Math.max(1, Math.floor(window_ms / step_ms));
  const times_ms: number[] = [];
  const cpus = new Map<number, (number | null)[]>();
  const begin_ms = ctx.monotonicMs();
  let last = readStat(ctx);
  for (let step = 0; step < steps; step += 1) {
    await ctx.sleep(begin_ms + (step + 1) * step_ms - ctx.monotonicMs(), call.signal);
    const now = readStat(ctx);
    times_ms.push(ctx.monotonicMs() - begin_ms);
    const ticks = ticksByCpu(last, now);
    for (const [cpu, spent] of ticks) {
      const row = cpus.get(cpu) ?? Array.from({ length: step }, () => null);
      cpus.set(cpu, row);
      row[step] = cpuShares(spent).util_pct;
    }
    last = now;
  }
  return { times_ms, cpus };
}

const readStat = ({ files }: Context): ProcStat =>
  parseProcStat(files.text('/proc/stat') ?? '').data;

async function runQueue(
  ctx: Context,
  duration_seconds: number,
  missing: Unavailable[],
  call: Call,
): Promise<Latency | null> {
  const query = { duration_seconds, per_process: false, per_pidns: false, milliseconds: false };
  const { data } = await collectRunqLatency(ctx, query, call);
  const { histogram, summary, interpretation, method } = data;
  if (histogram === null || summary === null) {
    return notTraced(ctx, missing, 'run queue latency', data.skipped_methods[0]);
  }
  return {
    title: 'Waiting for a CPU',
    of: 'waits',
    rows: histogram,
    count: summary.total_wakeups,
    p50_us: summary.p50_us,
    p99_us: summary.p99_us,
    max_us: summary.max_latency_us,
    verdict: interpretation?.detail ?? null,
    method,
  };
}

async function blockIo(
  ctx: Context,
  duration_seconds: number,
  missing: Unavailable[],
  call: Call,
): Promise<Latency | null> {
  const query = {
    duration_seconds,
    per_device: false,
    queued: false,
    milliseconds: false,
    histogram_type: 'log2',
    linear_bucket_ms: 10,
  } as const;
  const { data } = await collectBioLatency(ctx, query, call);
  const { histogram, summary, notes, method } = data;
  if (histogram === null || summary === null) {
    return notTraced(ctx, missing, 'block I/O latency', data.skipped_methods[0]);
  }
  return {
    title: 'Requests to disks',
    of: 'requests',
    rows: histogram,
    count: summary.total_ios,
    p50_us: summary.p50_us,
    p99_us: summary.p99_us,
    max_us: summary.max_latency_us,
    verdict: notes[0] ?? null,
    method,
  };
}

function notTraced(
  ctx: Context,
  missing: Unavailable[],
  what: string,
  skipped: Readonly<{ reason: string; fix: string | null }> | undefined,
): null {
  const obstacle = skipped ?? bpfObstacle(ctx, programs.bpftrace, {});
  const reason = obstacle?.reason ?? 'No tracer can be used here.';
  missing.push({ what, reason, fix: obstacle?.fix ?? null });
  return null;
}

async function flameOf(
  ctx: Context,
  duration_seconds: number,
  missing: Unavailable[],
  call: Call,
): Promise<ReportData['flame']> {
  const query = { sample_rate_hz: 99, include_kernel: true, keep: true } as const;
  const { data, unavailable, warnings } = await collectCpuProfile(
    ctx,
    { ...query, duration_seconds, output_format: 'summary' },
    call,
  );
  if (!data.capture_id) {
    const [first] = unavailable ?? [];
    const reason = first?.reason ?? warnings?.[0] ?? 'No sample was taken: the CPUs were idle.';
    missing.push({ what: 'CPU profile', reason, fix: first?.fix ?? null });
    return null;
  }
  const { title, profile } = loadCapture(ctx, data.capture_id);
  return { title, svg: flameSvg(flamePicture(profile, title), { max_bytes: most_flame_bytes }) };
}

async function topProcesses(ctx: Context, window_ms: number, call: Call) {
  const query = { limit: most_processes, offset: 0, sort: 'cpu', window_ms } as const;
  const { data } = await collectProcesses(ctx, query, call);
  return data.processes.map((row) => ({
    pid: row.pid,
    comm: row.comm,
    cmdline: row.cmdline,
    threads: row.threads,
    cpu_pct: row.cpu_pct,
    wait_pct: row.run_queue_wait_pct,
    switches_per_s: row.switches_per_s,
    rss_bytes: row.rss_bytes,
  }));
}
