import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import { type Operation, parseBiolatency } from '../../parsers/biolatency/biolatency.ts';
import { type DiskStats, parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import { addDistributions, type Distribution } from '../../parsers/distribution.ts';
import { parseLog2Hist } from '../../parsers/log2-hist/log2-hist.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { diskKind, leftOutDisk } from './disk-devices.ts';
import { growth, growth32 } from './rates.ts';
import { requiredText } from './required-file.ts';
import { traceToolRung } from './trace-tool-rung.ts';

export type BioQuery = Readonly<{
  duration_ms: number;
  /** Null: all devices. */
  device: BlockDevice | null;
  queued: boolean;
  per_device: boolean;
  unit: 'us' | 'ms';
  /** Ranges of so many units; 0: by power of two. */
  step: number;
}>;

/** The whole disk: requests of a partition are those of its disk. */
export type BlockDevice = Readonly<{ name: string; major: number; minor: number }>;

export type BioTimes = Readonly<{
  all: Distribution;
  devices: readonly Readonly<{ device: string; took: Distribution }>[];
  operations: readonly Readonly<{ operation: Operation; took: Distribution }>[] | null;
  bytes: number | null;
  /** The source knows no spread: there is no histogram, not even an empty one. */
  sums_only?: true;
}>;

const tracepoints = ['block:block_rq_issue', 'block:block_rq_complete', 'block:block_rq_insert'];
const nothing: Distribution = { buckets: [], count: 0, total_ns: 0, max_ns: 0 };

/** How the times of block requests can be measured, best first. */
export function bioRungs(ctx: Context, query: BioQuery): readonly Rung<BioTimes>[] {
  return [
    bpftraceBio(ctx, query),
    biolatencyTool(ctx, 'libbpf', query),
    biolatencyTool(ctx, 'bcc', query),
    diskstatsTimes(ctx, query),
  ];
}

function bpftraceBio(ctx: Context, query: BioQuery): Rung<BioTimes> {
  const { duration_ms, device, queued, unit, step } = query;
  const rung = bpftraceRung(ctx, {
    script: 'biolatency',
    duration_ms,
    parameters: [
      unit === 'us' ? 1000 : 1_000_000,
      device === null ? 0 : device.major * 2 ** 20 + device.minor,
      queued ? 1 : 0,
      step,
    ],
    needs: { tracepoints },
    parse: (text) => parseBiolatency(text, step),
  });
  return {
    ...rung,
    async measure(call) {
      const { value, ...rest } = await rung.measure(call);
      const devices = value.devices.map(({ major, minor, took }) => ({
        device: deviceName(ctx, major, minor),
        took,
      }));
      return { ...rest, value: { ...value, devices } };
    },
  };
}

function biolatencyTool(ctx: Context, family: TraceToolFamily, query: BioQuery): Rung<BioTimes> {
  const { duration_ms, device, queued, unit, step } = query;
  const reason = device ? 'It is not asked for one device here.' : 'It knows powers of two only.';
  return traceToolRung(ctx, {
    family,
    tool: 'biolatency',
    args: [
      ...(queued ? ['-Q'] : []),
      ...(unit === 'ms' ? ['-m'] : []),
      '-D',
      ...[Math.ceil(duration_ms / 1000), 1],
    ],
    duration_ms,
    needs: { tracepoints },
    lacks: device !== null || step !== 0 ? { reason, fix: null } : null,
    parse: biolatencyTables,
  });
}

/** `disk = vda` in libbpf-tools, `disk = b'vda'` in BCC. */
function biolatencyTables(text: string): BioTimes {
  const devices = parseLog2Hist(text).map(({ label, buckets }) => {
    const [, device = 'unknown'] = /^disk = (?:b')?([^']+)'?$/.exec(label ?? '') ?? [];
    const count = buckets.reduce((sum, each) => sum + each.count, 0);
    return {
      device: untrusted(device, 64),
      took: { buckets, count, total_ns: null, max_ns: null },
    };
  });
  const all = devices.map(({ took }) => took).reduce<Distribution>(addDistributions, nothing);
  return { all: { ...all, total_ns: null, max_ns: null }, devices, operations: null, bytes: null };
}

/** The kernel's own sums: how many requests and how long in all, but not how they spread. */
function diskstatsTimes(ctx: Context, query: BioQuery): Rung<BioTimes> {
  return {
    method: 'procfs',
    obstacle: () => null,
    measure: (call) => measureDiskstats(ctx, query, call),
  };
}

async function measureDiskstats(
  ctx: Context,
  { duration_ms, device }: BioQuery,
  call: Call,
): Promise<Measured<BioTimes>> {
  const read = (): readonly DiskStats[] =>
    parseDiskStats(requiredText(ctx.files, '/proc/diskstats')).data;
  const before = new Map(read().map((each) => [each.name, each]));
  const started_ms = ctx.monotonicMs();
  await ctx.sleep(duration_ms, call.signal);
  const window_ms = Math.round(ctx.monotonicMs() - started_ms);
  const rows = read().filter(
    ({ name }) => (device === null || device.name === name) && diskKind(ctx.files, name) === 'disk',
  );
  const sums = rows.flatMap((now) => requestSums(before.get(now.name), now) ?? []);
  const left_out = rows.filter(({ name }) => sums.every((each) => each.name !== name));
  if (sums.length === 0 && (device !== null || rows.length > 0)) {
    throw new TracewrightError(
      'EXECUTION_FAILED',
      `${device?.name ?? 'No disk'} was not there, or not the same, at both ends of the window.`,
      'Measure again.',
    );
  }
  const devices = sums
    .map(({ name, count, total_ns }) => ({
      device: name,
      took: { buckets: [], count, total_ns, max_ns: null },
    }))
    .filter(({ took }) => took.count > 0);
  const all = devices.map(({ took }) => took).reduce<Distribution>(addDistributions, nothing);
  return {
    value: {
      all: { ...all, max_ns: null },
      devices,
      operations: null,
      bytes: null,
      sums_only: true,
    },
    source: '/proc/diskstats',
    window_ms,
    lost_events: null,
    warnings: left_out.map(({ name }) => leftOutDisk(name)),
  };
}

/** Null where a counter is missing or began anew. The kernel prints milliseconds with 32 bits. */
function requestSums(before: DiskStats | undefined, now: DiskStats) {
  const reads = growth(before?.reads, now.reads);
  const writes = growth(before?.writes, now.writes);
  const read_ms = growth32(before?.read_ms, now.read_ms);
  const write_ms = growth32(before?.write_ms, now.write_ms);
  if (reads === null || writes === null || read_ms === null || write_ms === null) return null;
  return { name: now.name, count: reads + writes, total_ns: (read_ms + write_ms) * 1e6 };
}

/** The name in /proc/diskstats, or the numbers where it is not there (a device that has gone). */
function deviceName({ files }: Context, major: number, minor: number): string {
  const { data } = parseDiskStats(files.text('/proc/diskstats') ?? '');
  const known = data.find((each) => each.major === major && each.minor === minor);
  return known ? untrusted(known.name, 64) : `${major}:${minor}`;
}
