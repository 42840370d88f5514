import { bpftoolShow, bpftoolStructOpsDump } from '../../allowlist/bpftool.ts';
import { type BpfLink, parseBpftoolLink } from '../../parsers/bpftool-link/bpftool-link.ts';
import { type BpfMap, parseBpftoolMap } from '../../parsers/bpftool-map/bpftool-map.ts';
import { type BpfPerfEvent, parseBpftoolPerf } from '../../parsers/bpftool-perf/bpftool-perf.ts';
import { type BpfPrograms, parseBpftoolProg } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import {
  parseBpftoolStructOps,
  type StructOps,
} from '../../parsers/bpftool-struct-ops/bpftool-struct-ops.ts';
import { parseBpftoolStructOpsDump } from '../../parsers/bpftool-struct-ops-dump/bpftool-struct-ops-dump.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';

/** What hangs on the BPF programs of this host. Null where bpftool could not list it. */
export type BpfObjects = Readonly<{
  links: readonly BpfLink[] | null;
  maps: readonly BpfMap[] | null;
  perf_events: readonly BpfPerfEvent[];
  /** The operations that a program implements, by program id. */
  struct_ops: ReadonlyMap<number, Implemented>;
}>;

export type Implemented = StructOps &
  Readonly<{
    /** The member of the structure that the program is, such as `enqueue`. */
    callback: string;
    /** The name that a scheduler gave itself, whole. */
    ops: string | null;
  }>;

/** The programs that are loaded now. What bpftool says went wrong is in `errors`. */
export async function listPrograms(ctx: Context, call: Call): Promise<BpfPrograms> {
  const { stdout, stopped_by } = await ctx.run(bpftoolShow('prog'), { signal: call.signal });
  if (stopped_by !== 'exit') {
    throw new TracewrightError(
      'TIMEOUT',
      `bpftool was stopped (${stopped_by}) before it had listed the BPF programs.`,
      'Try again when the host is less busy; `sudo bpftool prog show` tells how long it takes.',
    );
  }
  return parseBpftoolProg(stdout).data;
}

export async function listObjects(ctx: Context, call: Call): Promise<BpfObjects> {
  const show = async (object: 'link' | 'map' | 'perf' | 'struct_ops'): Promise<string> =>
    (await ctx.run(bpftoolShow(object), { signal: call.signal })).stdout;
  const [link, map, perf, struct_ops] = await Promise.all([
    show('link'),
    show('map'),
    show('perf'),
    show('struct_ops'),
  ]);
  const links = understood(() => parseBpftoolLink(link));
  const maps = understood(() => parseBpftoolMap(map));
  const implementations = understood(() => parseBpftoolStructOps(struct_ops))?.struct_ops ?? [];
  return {
    links: links && links.errors.length === 0 ? links.links : null,
    maps: maps && maps.errors.length === 0 ? maps.maps : null,
    perf_events: understood(() => parseBpftoolPerf(perf))?.events ?? [],
    struct_ops: await implementedBy(implementations, ctx, call),
  };
}

async function implementedBy(
  implementations: readonly StructOps[],
  ctx: Context,
  call: Call,
): Promise<ReadonlyMap<number, Implemented>> {
  if (implementations.length === 0) return new Map();
  const { stdout } = await ctx.run(bpftoolStructOpsDump(), { signal: call.signal });
  const dump = understood(() => parseBpftoolStructOpsDump(stdout)) ?? [];
  const pairs = dump.flatMap(({ map_id, ops, callbacks }) => {
    const operations = implementations.find((each) => each.map_id === map_id);
    if (!operations) return [];
    return callbacks.map(
      ({ name, prog_id }) => [prog_id, { ...operations, callback: name, ops }] as const,
    );
  });
  return new Map(pairs);
}

/** A listing beside the programs that cannot be read must not hide the programs. */
function understood<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}
