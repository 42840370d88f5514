import { type DiskStats, parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import { type IolayersOutput, parseIolayers } from '../../parsers/iolayers/iolayers.ts';
import type { Call, Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { boundedTrace, type Rung, traceParts } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { diskKind, leftOutDisk } from './disk-devices.ts';
import { growth, perSecond, round } from './rates.ts';
import { requiredText } from './required-file.ts';

type Query = Readonly<{ duration_seconds: number; include_details: boolean }>;

type Block = Readonly<{ reads: number; writes: number; read_bytes: number; written_bytes: number }>;
type Verdict = 'excellent' | 'good' | 'fair' | 'poor';

const calls = ['read', 'pread64', 'readv', 'write', 'pwrite64', 'writev', 'fsync', 'fdatasync'];
const sector_bytes = 512;
/** The clock of the tracer begins before it says so, by a tick of its own. */
const late_ms = 10;
/** Below so little, a ratio says nothing. */
const least_ops = 20;

/** How reads and writes of files can be traced. `began` is called when the window has begun. */
export function ioLayersRungs(
  ctx: Context,
  duration_ms: number,
  began: () => void,
): readonly Rung<IolayersOutput>[] {
  const rung = bpftraceRung(ctx, {
    script: 'iolayers',
    duration_ms,
    parameters: [],
    needs: { btf: true, tracepoints: calls.map((each) => `syscalls:sys_enter_${each}`) },
    began,
    parse: parseIolayers,
  });
  return [rung];
}

/**
 * What programs read and wrote of files beside what the disks did in the same time: how much the
 * page cache spared them. Nothing is estimated: without the tracer only the disks are told.
 */
export async function collectIoLayers(ctx: Context, query: Query, call: Call) {
  const duration_ms = query.duration_seconds * 1000;
  let watching: Promise<Disks> | null = null;
  const rungs = ioLayersRungs(ctx, duration_ms, () => {
    watching = watchDisks(ctx, duration_ms - late_ms, call);
    // Where the call is canceled, the trace tells it first.
    watching.catch(() => {});
  });
  const result = await boundedTrace(ctx, { kind: 'I/O layers', duration_ms, rungs }, call);
  const { block, disks_ms, left_out } = await (watching ?? watchDisks(ctx, duration_ms, call));
  const { method, unavailable, source, ...parts } = traceParts(result, 'vfs, ratios, analysis');
  const files = result.traced?.value ?? null;
  const window_ms = parts.window_ms ?? Math.round(disks_ms);
  const ratios = files && ratiosOf(files, block);
  return {
    data: {
      method: method === null ? 'procfs_only' : `procfs+${method}`,
      skipped_methods: result.skipped,
      duration_seconds: query.duration_seconds,
      vfs: files && vfsRates(files, window_ms),
      block: {
        total_ios: block.reads + block.writes,
        reads_per_sec: perSecond(block.reads, disks_ms),
        writes_per_sec: perSecond(block.writes, disks_ms),
        read_bytes_per_sec: perSecond(block.read_bytes, disks_ms),
        write_bytes_per_sec: perSecond(block.written_bytes, disks_ms),
      },
      ratios,
      analysis: files && ratios && analysis(files, block, ratios),
      ...(query.include_details
        ? { details: { files, block, disks_window_ms: Math.round(disks_ms) } }
        : {}),
      notes: [
        'Readahead and writeback move disk traffic in time: short windows exaggerate both ways.',
      ],
    },
    ...parts,
    warnings: [...parts.warnings, ...left_out.map(leftOutDisk)],
    window_ms,
    source: method === null ? '/proc/diskstats' : `${source}, /proc/diskstats`,
    unavailable: [...unavailable, ...silent(files, ratios)],
    summary: inWords(files, block, ratios, window_ms),
  };
}

/** `left_out`: disks without counters at both ends, which the sums are without. */
type Disks = Readonly<{ block: Block; disks_ms: number; left_out: readonly string[] }>;

export async function watchDisks(ctx: Context, ms: number, call: Call): Promise<Disks> {
  const before = readDisks(ctx);
  const started_ms = ctx.monotonicMs();
  await ctx.sleep(ms, call.signal);
  const traffic = blockTraffic(before, readDisks(ctx));
  return { ...traffic, disks_ms: ctx.monotonicMs() - started_ms };
}

const readDisks = ({ files }: Context) =>
  new Map(
    parseDiskStats(requiredText(files, '/proc/diskstats'))
      .data.filter(({ name }) => diskKind(files, name) === 'disk')
      .map((each) => [each.name, each]),
  );

function blockTraffic(
  before: ReadonlyMap<string, DiskStats>,
  after: ReadonlyMap<string, DiskStats>,
): Pick<Disks, 'block' | 'left_out'> {
  const grown = [...after.values()].flatMap((now) => trafficOf(before.get(now.name), now) ?? []);
  const sum = (of: (each: Block) => number): number =>
    grown.reduce((total, each) => total + of(each), 0);
  const known = new Set(grown.map(({ name }) => name));
  return {
    block: {
      reads: sum(({ reads }) => reads),
      writes: sum(({ writes }) => writes),
      read_bytes: sum(({ read_bytes }) => read_bytes),
      written_bytes: sum(({ written_bytes }) => written_bytes),
    },
    left_out: [...after.keys()].filter((name) => !known.has(name)),
  };
}

/** Null where a counter is missing or began anew. */
function trafficOf(
  before: DiskStats | undefined,
  now: DiskStats,
): (Block & Readonly<{ name: string }>) | null {
  const reads = growth(before?.reads, now.reads);
  const writes = growth(before?.writes, now.writes);
  const read = growth(before?.sectors_read, now.sectors_read);
  const written = growth(before?.sectors_written, now.sectors_written);
  if (reads === null || writes === null || read === null || written === null) return null;
  const [read_bytes, written_bytes] = [read * sector_bytes, written * sector_bytes];
  return { name: now.name, reads, writes, read_bytes, written_bytes };
}

function vfsRates(
  { reads, writes, syncs, opens, creates, unlinks }: IolayersOutput,
  window_ms: number,
) {
  return {
    total_ops: reads.ops + writes.ops + syncs,
    reads_per_sec: perSecond(reads.ops, window_ms),
    writes_per_sec: perSecond(writes.ops, window_ms),
    fsyncs_per_sec: perSecond(syncs, window_ms),
    opens_per_sec: perSecond(opens, window_ms),
    creates_per_sec: perSecond(creates, window_ms),
    unlinks_per_sec: perSecond(unlinks, window_ms),
    read_bytes_per_sec: perSecond(reads.bytes, window_ms),
    write_bytes_per_sec: perSecond(writes.bytes, window_ms),
  };
}

type Ratios = Readonly<{
  vfs_to_block: number | null;
  /** Of the bytes read, so many did not come from a disk. */
  read_hit_rate: number | null;
  /** So many fewer writes reached the disks than programs made. */
  write_coalesce_rate: number | null;
}>;

function ratiosOf({ reads, writes }: IolayersOutput, block: Block): Ratios {
  const ios = block.reads + block.writes;
  const spared = (below: number, above: number): number =>
    round(Math.max(0, 1 - below / above) * 100, 1);
  return {
    vfs_to_block: ios === 0 ? null : round((reads.ops + writes.ops) / ios, 2),
    read_hit_rate:
      reads.ops < least_ops || reads.bytes === 0 ? null : spared(block.read_bytes, reads.bytes),
    write_coalesce_rate: writes.ops < least_ops ? null : spared(block.writes, writes.ops),
  };
}

function analysis(files: IolayersOutput, block: Block, { read_hit_rate: hits }: Ratios) {
  if (hits === null) return null;
  const cache_effectiveness: Verdict =
    hits >= 95 ? 'excellent' : hits >= 80 ? 'good' : hits >= 50 ? 'fair' : 'poor';
  const mib = (bytes: number): number => round(bytes / 2 ** 20, 1);
  return {
    cache_effectiveness,
    interpretation: `Programs read ${mib(files.reads.bytes)} MiB of files, and the disks delivered ${mib(block.read_bytes)} MiB.`,
  };
}

function silent(files: IolayersOutput | null, ratios: Ratios | null): Unavailable[] {
  if (files === null || ratios === null || ratios.read_hit_rate !== null) return [];
  const reason = `Programs made ${files.reads.ops} reads of files on disks: too few for a ratio.`;
  return [{ what: 'ratios.read_hit_rate, analysis', reason, fix: 'Measure while the load runs.' }];
}

function inWords(
  files: IolayersOutput | null,
  block: Block,
  ratios: Ratios | null,
  window_ms: number,
): string[] {
  const disks = `The disks did ${block.reads} reads and ${block.writes} writes`;
  if (files === null)
    return [`${disks} in ${window_ms} ms; what programs asked for could not be traced.`];
  const { read_hit_rate: hits, write_coalesce_rate: spared } = ratios ?? {};
  return [
    `Programs made ${files.reads.ops} reads, ${files.writes.ops} writes and ${files.syncs} syncs of files in ${window_ms} ms.`,
    `${disks}.`,
    ...(hits == null ? [] : [`${hits} % of the bytes read did not come from a disk.`]),
    ...(spared == null ? [] : [`${spared} % fewer writes reached the disks than programs made.`]),
  ];
}
