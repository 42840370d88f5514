import type { FunctionProbe } from '../../allowlist/function-program.ts';
import { parseBtfParameters } from '../../parsers/btf/btf.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { fentryProvider } from './bpftrace-version.ts';
import type { ChosenFunctions } from './function-choice.ts';
import { kernelFacts } from './kernel-facts.ts';
import type { FunctionListing } from './kernel-functions.ts';
import { missingProbes } from './kprobe-functions.ts';
import { mount_tracefs } from './tracefs.ts';
import type { Obstacle } from './tracing-obstacles.ts';

const vmlinux = '/sys/kernel/btf/vmlinux';
const largest_btf_bytes = 64 * 1024 * 1024;
/** Arguments beyond the registers of x86-64 make bpftrace refuse a function as fentry. */
const most_parameters = 6;

/** Why no function can be traced: nothing lists them, or this kernel takes neither kind of probe. */
export function functionObstacle(ctx: Context, listing: FunctionListing | null): Obstacle | null {
  if (!listing) {
    const reason = 'Neither tracefs, BTF nor /proc/kallsyms can be read.';
    return { reason, fix: mount_tracefs };
  }
  const { kprobes_available, fentry_available } = listing;
  // An fentry is found by the types that the kernel describes.
  const described = ctx.files.bytes(vmlinux, largest_btf_bytes) !== null;
  if (kprobes_available !== false || (fentry_available !== false && described)) return null;
  const reasons = missingProbes(listing).map(({ reason }) => reason);
  const { reason: undescribed } = kernelFacts(ctx).btf;
  const all = described || undescribed === null ? reasons : [...reasons, undescribed];
  return { reason: all.join(' '), fix: null };
}

/** Throws FEATURE_UNAVAILABLE where no function can be traced. */
export function listedFunctions(ctx: Context, listing: FunctionListing | null): FunctionListing {
  const obstacle = functionObstacle(ctx, listing);
  if (listing && !obstacle) return listing;
  const { reason = '', fix = null } = obstacle ?? {};
  throw unavailable(reason, fix ?? undefined);
}

/**
 * fentry costs less than a kprobe; it is for functions of the kernel itself that BTF describes.
 * Whether the kernel loads it is known only by trying where the listing does not say.
 */
export async function fentryOrKprobe(
  ctx: Context,
  { names, modules }: ChosenFunctions,
  listing: FunctionListing,
): Promise<readonly FunctionProbe[]> {
  const bytes =
    listing.fentry_available === false ? null : ctx.files.bytes(vmlinux, largest_btf_bytes);
  const parameters = bytes
    ? parseBtfParameters(bytes, names)
    : new Map<string, readonly string[]>();
  const provider = await fentryProvider(ctx);
  return names.map((name) => {
    const described = parameters.get(name);
    const fits = described !== undefined && described.length <= most_parameters;
    if (fits && !modules.has(name)) return { name, kind: provider };
    return kprobe(name, listing);
  });
}

/** The same without fentry; null where that is what they are, or where the kernel has no kprobes. */
export function kprobesInstead(
  probes: readonly FunctionProbe[],
  { kprobes_available }: FunctionListing,
): readonly FunctionProbe[] | null {
  if (kprobes_available === false || probes.every(({ kind }) => kind === 'kprobe')) return null;
  return probes.map(({ name }) => ({ name, kind: 'kprobe' }));
}

function kprobe(name: string, { kprobes_available }: FunctionListing): FunctionProbe {
  if (kprobes_available !== false) return { name, kind: 'kprobe' };
  throw unavailable(`${name} cannot be an fentry, and the kernel has no kprobes.`);
}

const instead =
  'start_perf_profiling shows which functions take CPU time without any probe; list_events lists tracepoints.';

const unavailable = (reason: string, suggestion = instead): TracewrightError =>
  new TracewrightError('FEATURE_UNAVAILABLE', reason, suggestion);
