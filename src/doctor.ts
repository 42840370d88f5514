import { tracingObstacle } from './collectors/bpftrace-tracer.ts';
import { eventCapabilities } from './collectors/event-tracer.ts';
import { asUnavailable, stream_uri } from './collectors/event-types.ts';
import { type KernelFacts, kernelFacts } from './collectors/kernel-facts.ts';
import { wholeMachineObstacle } from './collectors/perf-obstacles.ts';
import { type ProgramVersion, programVersions } from './collectors/program-versions.ts';
import { type Rights, rights } from './collectors/rights.ts';
import type { Call, Context } from './context.ts';
import { toTracewrightError } from './errors.ts';
import { describePolicies } from './policy/describe.ts';
import type { Unavailable } from './reading.ts';
import { surface } from './surface.ts';
import { type Check, checkTracing } from './tool-checks.ts';
import { version } from './version.ts';

export type Diagnosis = Readonly<{
  tracewright: string;
  node: string;
  /** What administrators allow, in words; empty where there is no policy. */
  policy: readonly string[];
  /** Where executions are recorded; null: nowhere. */
  audit: string | null;
  rights: Rights;
  programs: readonly ProgramVersion[];
  kernel: KernelFacts;
  resources: readonly Check[];
  tools: readonly Check[];
}>;

/** A profile that nobody started is not a fault: these are judged by what a profile needs. */
const isProfile = ({ uri }: { uri: string }): boolean => uri.startsWith('profiling://');

/** Tools that show what a resource shows stand and fall with it. */
const toolBasis: Readonly<Record<string, string>> = {
  get_topology: 'topology://info',
  list_events: 'events://perf',
  control_event_tracking: stream_uri,
  read_events: stream_uri,
};
/** Those that show what another tool counts. */
const collectionTools = ['get_scheduling_stats', 'get_top_processes', 'reset_stats'];
const profilingTools = ['start_perf_profiling', 'stop_perf_profiling', 'get_perf_results'];

/** Reads every resource once and says what works, what does not, and what changes it. */
export async function diagnose(ctx: Context, call: Call): Promise<Diagnosis> {
  const measuring = surface.resources.filter((each) => !isProfile(each) && !each.daemonOnly);
  const [programs, stream, measured] = await Promise.all([
    programVersions(ctx),
    checkStream(ctx, call),
    Promise.all(measuring.map(({ uri }) => checkResource(uri, ctx, call))),
  ]);
  const kernel = kernelFacts(ctx);
  const profiling = profilingProblems(ctx, programs, kernel);
  const profiles = surface.resources.filter(isProfile);
  const resources = [
    ...measured,
    stream,
    ...profiles.map(({ uri }) => ({ name: uri, ...profiling })),
  ];
  const names = surface.tools({ readOnly: false, policies: ctx.policies }).map(({ name }) => name);
  const tools = await Promise.all(
    names.map(async (name): Promise<Check> => {
      const basis = resources.find((each) => each.name === toolBasis[name]);
      if (basis) return { ...basis, name };
      if (profilingTools.includes(name)) return { name, ...profiling };
      if (name === 'perf_cpu_profile' && profiling.state === 'degraded') {
        return { name, ...profiling };
      }
      const tracing = collectionTools.includes(name) ? 'enable_collection' : name;
      const traced = await checkTracing(tracing, ctx, call);
      return traced
        ? { ...traced, name }
        : { name, state: 'available', source: null, problems: [] };
    }),
  );
  const node = process.versions.node;
  const policy = describePolicies(ctx.policies);
  const audit = ctx.settings.audit?.place ?? null;
  // Last: whether the helper answers is known by now.
  const asWhom = rights(ctx, programs);
  return {
    tracewright: version,
    node,
    rights: asWhom,
    policy,
    audit,
    programs,
    kernel,
    resources,
    tools,
  };
}

/** Reading it would tell nothing before something is tracked. */
async function checkStream(ctx: Context, call: Call): Promise<Check> {
  const obstacle = tracingObstacle(ctx, stream_uri);
  if (obstacle)
    return { name: stream_uri, state: 'unavailable', source: null, problems: [obstacle] };
  const types = await eventCapabilities(ctx, call);
  const problems = types.filter(({ available }) => !available).map(asUnavailable);
  const state = problems.some(({ fix }) => fix !== null) ? 'degraded' : 'available';
  return { name: stream_uri, state, source: 'bpftrace', problems };
}

async function checkResource(uri: string, ctx: Context, call: Call): Promise<Check> {
  try {
    const document: Partial<Measured> = await surface.readResource(uri, ctx, call);
    const { unavailable: problems = [], source = null } = document;
    if (problems.some(({ what }) => what === uri)) {
      return { name: uri, state: 'unavailable', source: null, problems };
    }
    const names = new Set(surface.tools({ readOnly: false }).map(({ name }) => name));
    // What nobody asked a tool for yet is no fault.
    const faults = problems.filter(({ fix }) => fix !== null && !names.has(fix));
    return { name: uri, state: faults.length > 0 ? 'degraded' : 'available', source, problems };
  } catch (thrown) {
    const { message, suggestion } = toTracewrightError(thrown);
    const problem = { what: uri, reason: message, fix: suggestion };
    return { name: uri, state: 'unavailable', source: null, problems: [problem] };
  }
}

type Measured = { unavailable: readonly Unavailable[]; source: string };

function profilingProblems(
  ctx: Context,
  programs: readonly ProgramVersion[],
  kernel: KernelFacts,
): Omit<Check, 'name'> {
  const perf = programs.find(({ name }) => name === 'perf');
  if (!perf || perf.problem !== null) {
    const reason = `perf: ${perf?.problem ?? 'unknown'}`;
    const problem = { what: 'perf', reason, fix: perf?.fix ?? null };
    return { state: 'unavailable', source: null, problems: [problem] };
  }
  const obstacle = wholeMachineObstacle(ctx);
  if (obstacle) {
    const problem = { what: 'profiles of the whole machine and of the kernel', ...obstacle };
    return { state: 'degraded', source: 'perf, own processes only', problems: [problem] };
  }
  if (kernel.pmu.value === null) {
    const what = 'hardware events';
    const problem = { what, reason: kernel.pmu.reason ?? 'no PMU', fix: null };
    return { state: 'available', source: 'perf, cpu-clock', problems: [problem] };
  }
  return { state: 'available', source: 'perf', problems: [] };
}
