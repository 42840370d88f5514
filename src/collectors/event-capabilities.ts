import { programs } from '../../allowlist/programs.ts';
import { type EventType, eventTypes } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { chooseInsertProbe } from './dsq-probe.ts';
import { eventLayout } from './event-layout.ts';
import type { EventCapability } from './event-tracer.ts';
import { kernelFacts } from './kernel-facts.ts';
import { schedExtState } from './sched-ext.ts';
import { eventListing } from './trace-events.ts';
import { bpfObstacle, type Obstacle } from './tracing-obstacles.ts';

type Source = Readonly<{
  source: string;
  /** Tracepoints that it needs, with why a kernel may lack them. */
  tracepoints?: readonly string[];
  without?: string;
  /** What else may be in the way. */
  obstacle?: (ctx: Context) => Obstacle | null;
}>;

const tracepoint = (system: string, ...names: readonly string[]): Source => ({
  source: names.map((name) => `tracepoint:${system}:${name}`).join(', '),
  tracepoints: names.map((name) => `${system}:${name}`),
});

const own: Source = { source: 'this server' };
const ofSchedExt: Source = { source: '/sys/kernel/sched_ext', obstacle: noSchedExt };

const sources: Readonly<Record<EventType, Source>> = {
  sched_switch: tracepoint('sched', 'sched_switch', 'sched_wakeup', 'sched_wakeup_new'),
  sched_wakeup: tracepoint('sched', 'sched_wakeup'),
  sched_waking: tracepoint('sched', 'sched_waking'),
  sched_wakeup_new: tracepoint('sched', 'sched_wakeup_new'),
  sched_migrate_task: tracepoint('sched', 'sched_migrate_task'),
  fork: tracepoint('task', 'task_newtask'),
  exec: tracepoint('sched', 'sched_process_exec'),
  exit: tracepoint('sched', 'sched_process_exit'),
  wait: tracepoint('sched', 'sched_process_wait'),
  softirq: tracepoint('irq', 'softirq_entry', 'softirq_exit'),
  ipi: {
    ...tracepoint('ipi', 'ipi_send_cpu', 'ipi_send_cpumask'),
    without: 'It came with 6.4.',
  },
  cpuhp_enter: {
    ...tracepoint('cpuhp', 'cpuhp_enter', 'cpuhp_multi_enter'),
    without: 'The kernel was built without CONFIG_HOTPLUG_CPU or CONFIG_SMP.',
  },
  cpuhp_exit: {
    ...tracepoint('cpuhp', 'cpuhp_exit'),
    without: 'The kernel was built without CONFIG_HOTPLUG_CPU or CONFIG_SMP.',
  },
  hw_pressure: {
    ...tracepoint('hw_pressure', 'hw_pressure_update'),
    without: 'The kernel was built without CONFIG_SCHED_HW_PRESSURE (Arm has it, since 6.10).',
  },
  kprobe: { source: 'kprobe', obstacle: noKprobes },
  perf_sample: { source: 'profile:hz:99' },
  sched_hang: {
    ...tracepoint('sched', 'sched_process_hang'),
    without: 'The kernel was built without CONFIG_DETECT_HUNG_TASK.',
    obstacle: noHungTasks,
  },
  sched_cpu_perf_set: {
    source: 'kprobe:scx_bpf_cpuperf_set',
    obstacle: (ctx) => noSchedExt(ctx) ?? noKprobes(ctx),
  },
  mango_app: {
    source: 'nothing',
    obstacle: () => ({
      reason: 'The message queue of MangoHud, which tells of the frames of games, is not read.',
      fix: null,
    }),
  },
  trace_started: own,
  trace_stopped: own,
  system_stat: { source: '/proc' },
  sched_stats: { ...ofSchedExt, source: 'statistics socket of the scheduler' },
  scheduler_load: ofSchedExt,
  scheduler_unload: ofSchedExt,
  dsq_insert: { source: 'fentry:vmlinux:dispatch_enqueue', obstacle: noSchedExt },
  alert: tracepoint('sched', 'sched_switch', 'sched_wakeup', 'sched_migrate_task'),
};

/** Made by this server: no program goes into the kernel for them. */
const without_program: ReadonlySet<EventType> = new Set([
  'mango_app',
  'trace_started',
  'trace_stopped',
  'system_stat',
  'sched_stats',
  'scheduler_load',
  'scheduler_unload',
]);

/** From files alone, where the kernel describes its tracepoints; else perf or tracefs lists them. */
export async function listCapabilities(
  ctx: Context,
  call: Call,
): Promise<readonly EventCapability[]> {
  const general = bpfObstacle(ctx, programs.bpftrace, {});
  const isThere = general === null ? await tracepointTest(ctx, call) : () => true;
  const insert = await noInsertProbe(ctx);
  return eventTypes.map((type) => {
    const { source, tracepoints = [], without, obstacle } = sources[type];
    const missing = tracepoints.filter((name) => !isThere(name));
    const found =
      (without_program.has(type) ? null : general) ??
      obstacle?.(ctx) ??
      (type === 'dsq_insert' ? insert : null) ??
      (missing.length === 0 ? null : noTracepoint(missing, without));
    return {
      type,
      available: found === null,
      source,
      reason: found?.reason ?? null,
      fix: found?.fix ?? null,
    };
  });
}

/** Whether the kernel has a tracepoint "system:name"; true where nobody can say. */
async function tracepointTest(ctx: Context, call: Call): Promise<(name: string) => boolean> {
  const { tracepoints } = await eventLayout(ctx);
  if (tracepoints) return (name) => tracepoints.has(name.slice(name.indexOf(':') + 1));
  const listing = await eventListing(ctx, call);
  const listed = listing.tracepoints;
  if (!listed) return () => true;
  const names = new Set(
    listed.flatMap(({ subsystem, events }) => events.map((each) => `${subsystem}:${each}`)),
  );
  return (name) => names.has(name);
}

function noTracepoint(missing: readonly string[], without: string | undefined): Obstacle {
  const reason = `The kernel has no tracepoint ${missing.join(', ')}.`;
  return { reason: without === undefined ? reason : `${reason} ${without}`, fix: null };
}

function noSchedExt(ctx: Context): Obstacle | null {
  const { supported, reason } = schedExtState(ctx);
  return supported ? null : { reason: reason ?? 'The kernel has no sched_ext.', fix: null };
}

async function noInsertProbe(ctx: Context): Promise<Obstacle | null> {
  if (!schedExtState(ctx).supported) return null;
  const probe = await chooseInsertProbe(ctx);
  return 'what' in probe ? probe : null;
}

function noKprobes(ctx: Context): Obstacle | null {
  const { value, reason, fix } = kernelFacts(ctx).kprobes;
  return value === false ? { reason: reason ?? 'The kernel takes no kprobes.', fix } : null;
}

function noHungTasks({ files }: Context): Obstacle | null {
  if (files.number('/proc/sys/kernel/hung_task_timeout_secs') !== 0) return null;
  const fix = 'sudo sysctl kernel.hung_task_timeout_secs=120';
  return { reason: 'The kernel does not look for hung tasks at the moment.', fix };
}
