import type { BpftraceProgram } from '../../allowlist/bpftrace-program.ts';
import type { InsertProbe } from '../../allowlist/dsq-program.ts';
import { streamParameters } from '../../allowlist/stream-parameters.ts';
import {
  composeStreamProgram,
  nobody,
  type PlainFragment,
  type StreamPart,
} from '../../allowlist/stream-program.ts';
import type { EventType } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { lowest } from '../policy/policy.ts';
import { bpftraceHas } from './bpftrace-version.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';
import { chooseInsertProbe } from './dsq-probe.ts';
import { type EventLayout, eventLayout } from './event-layout.ts';
import type { EventFilter } from './event-tracer.ts';
import { chooseFunctions } from './function-choice.ts';
import { kernelFunctions } from './kernel-functions.ts';
import { schedExtState } from './sched-ext.ts';
import { ownPid, pidsDiffer } from './traced-process.ts';

/** A program for bpftrace, with its parameters. */
export type EventProgram = Readonly<{
  program: BpftraceProgram;
  parameters: readonly number[];
  /** Where it is attached. */
  probes: readonly string[];
  /** One more than the highest number that a CPU can have. */
  cpus: number;
}>;

/** What is conspicuous. */
const alertLimits = { latency_us: 1000, in_a_row: 15, moves: 8, moves_window_ms: 7000 };
const usual_samples_hz = 99;

/** `with_own`: with what bpftrace and this server do themselves, which else is left out. */
export type EventWish = EventFilter & Readonly<{ with_own?: boolean }>;

/** The program that tells of these events. INVALID_PARAMS or NOT_ALLOWED for a function that cannot be. */
export async function eventProgram(
  ctx: Context,
  filter: EventWish,
  call: Call,
): Promise<EventProgram> {
  const layout = await eventLayout(ctx);
  const cpus = Math.max(...(readCpuList(ctx.files, `${cpu_root}/possible`) ?? [0])) + 1;
  const parts = await partsOf(ctx, filter, layout, call);
  const shipped = (name: string): string => ctx.script(`stream/${name}`).text;
  const highest = lowest(ctx.policies, 'max_sample_rate_hz')?.value ?? usual_samples_hz;
  const samples_hz = Math.floor(Math.min(usual_samples_hz, highest));
  const with_tracer = filter.with_own ?? false;
  const text = composeStreamProgram(parts, shipped, layout.showsRecords, with_tracer);
  const parameters = streamParameters({
    own_tgid: filter.with_own ? nobody : ownGroup(ctx),
    pid: filter.pid,
    tgid: filter.tgid,
    cpu: filter.cpu,
    comm: filter.comm,
    min_latency_us: filter.min_latency_us,
    sample: filter.sample,
    offsets: layout.offsets,
    cpus,
    samples_hz,
    alerts: alertLimits,
  });
  const probes = text.match(/^(?:raw)?tracepoint:.*|^(?:fentry|kfunc|kprobe|profile):.*/gm) ?? [];
  const program = {
    kind: 'stream',
    parts,
    shows_records: layout.showsRecords,
    with_tracer,
  } as const;
  return {
    program,
    parameters,
    probes: [...new Set(probes)].map((each) => plain(each, samples_hz)),
    cpus,
  };
}

const ownGroup = (ctx: Context): number => (pidsDiffer(ctx) ? 0 : (ownPid(ctx) ?? 0));

/** Of a list of probes each stands on a line of its own. */
const plain = (probe: string, samples_hz: number): string =>
  probe.replace(/,$/, '').replace(/^profile:hz:.*/, `profile:hz:${samples_hz}`);

/** Types that have a fragment of their own name or names. */
const simple: Readonly<Partial<Record<EventType, readonly PlainFragment[]>>> = {
  fork: ['fork'],
  exit: ['exit'],
  wait: ['wait'],
  softirq: ['softirq'],
  cpuhp_enter: ['cpuhp-enter'],
  cpuhp_exit: ['cpuhp-exit'],
  hw_pressure: ['hw-pressure'],
  sched_cpu_perf_set: ['cpu-perf'],
};

/** Since 0.19 bpftrace does not show the record of an event, but gives what the event is about. */
const ofRecords: Readonly<Partial<Record<EventType, readonly PlainFragment[]>>> = {
  exec: ['exec'],
  ipi: ['ipi', 'ipi-mask'],
  sched_hang: ['sched-hang'],
  alert: ['alert-wakeup', 'alert-migrations'],
};
const ofTasks: typeof ofRecords = {
  exec: ['exec-raw'],
  ipi: ['ipi', 'ipi-mask-raw'],
  sched_hang: ['sched-hang-raw'],
  alert: ['alert-wakeup-raw', 'alert-migrations-raw'],
};

async function partsOf(
  ctx: Context,
  filter: EventFilter,
  { raw }: EventLayout,
  call: Call,
): Promise<readonly StreamPart[]> {
  const types = new Set(filter.types);
  const insert = await insertProbe(ctx, types);
  const busy = busyParts(types, raw, insert);
  const all = { ...simple, ...(raw ? ofTasks : ofRecords) };
  const direct = filter.types.flatMap((type) =>
    (all[type] ?? []).map((fragment): StreamPart => ({ fragment })),
  );
  const needsGroups = !raw && (types.has('alert') || busy.length > 0);
  return [
    ...busy,
    ...direct,
    ...queueParts(types, raw, insert),
    ...(types.has('perf_sample')
      ? [{ fragment: 'perf-sample', raw: await bpftraceHas(ctx, 18) } as const]
      : []),
    ...(types.has('kprobe') ? [await kprobePart(ctx, filter.kprobe, call)] : []),
    ...(needsGroups ? [{ fragment: 'tgids' } as const] : []),
  ];
}

const wakeEvents = ['sched_waking', 'sched_wakeup', 'sched_wakeup_new'] as const;

/** Events of which each has a record in the buffers. */
function busyParts(
  types: ReadonlySet<EventType>,
  raw: boolean,
  insert: InsertProbe | null,
): readonly StreamPart[] {
  const parts: StreamPart[] = wakeEvents
    .filter((event) => types.has(event))
    .map((event) => ({ fragment: raw ? 'sched-wake-raw' : 'sched-wake', event }));
  if (types.has('sched_migrate_task')) {
    parts.push({ fragment: raw ? 'sched-migrate-raw' : 'sched-migrate' });
  }
  if (types.has('sched_switch')) {
    const probe = raw ? insert : null;
    parts.push({ fragment: switchFragment(raw, probe !== null) }, { fragment: 'woken' });
    if (probe) parts.push({ fragment: 'dsq-note', probe });
  }
  return parts;
}

function queueParts(
  types: ReadonlySet<EventType>,
  raw: boolean,
  probe: InsertProbe | null,
): readonly StreamPart[] {
  if (probe === null) return [];
  const fragments = [
    ...(raw && types.has('alert') ? (['alert-dsq'] as const) : []),
    ...(types.has('dsq_insert') ? (['dsq-insert'] as const) : []),
  ];
  return fragments.map((fragment) => ({ fragment, probe }));
}

function switchFragment(raw: boolean, withQueues: boolean) {
  if (withQueues) return 'sched-switch-dsq';
  return raw ? 'sched-switch-raw' : 'sched-switch';
}

/** Where tasks enter a dispatch queue, if a scheduler has any, or if that is what is asked for. */
async function insertProbe(
  ctx: Context,
  types: ReadonlySet<EventType>,
): Promise<InsertProbe | null> {
  if (!types.has('dsq_insert') && !schedExtState(ctx).active) return null;
  const probe = await chooseInsertProbe(ctx);
  if (!('what' in probe)) return probe;
  if (!types.has('dsq_insert')) return null;
  throw new TracewrightError('FEATURE_UNAVAILABLE', probe.reason, 'Leave dsq_insert out.');
}

async function kprobePart(ctx: Context, name: string | null, call: Call): Promise<StreamPart> {
  if (name === null) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'Type kprobe needs a function.',
      'Give kprobe=NAME, such as kprobe=tcp_sendmsg; events://kprobe?match=tcp_send searches them.',
    );
  }
  const listing = await kernelFunctions(ctx, call);
  if (listing) chooseFunctions([name], 'count', listing);
  return { fragment: 'kprobe', function: name, registers: ctx.registers };
}
