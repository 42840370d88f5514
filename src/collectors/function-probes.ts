import type { FunctionProbe } from '../../allowlist/function-program.ts';
import { parseBtfParameters } from '../../parsers/btf/btf.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { fentryProvider } from './bpftrace-version.ts';
import type { ChosenFunctions } from './function-choice.ts';
import type { FunctionListing } from './kernel-functions.ts';
import { missingProbes } from './kprobe-functions.ts';

const vmlinux = '/sys/kernel/btf/vmlinux';
const largest_btf_bytes = 64 * 1024 * 1024;
/** Arguments beyond the registers of x86-64 make bpftrace refuse a function as fentry. */
const most_parameters = 6;

/** Throws FEATURE_UNAVAILABLE where this kernel takes neither kind of probe. */
export function refuseWithoutProbes(listing: FunctionListing): void {
  const { kprobes_available, fentry_available } = listing;
  if (kprobes_available !== false || fentry_available !== false) return;
  const reasons = missingProbes(listing).map(({ reason }) => reason);
  throw unavailable(reasons.join(' '));
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

const unavailable = (reason: string): TracewrightError =>
  new TracewrightError(
    'FEATURE_UNAVAILABLE',
    reason,
    'start_perf_profiling shows which functions take CPU time without any probe; list_events lists tracepoints.',
  );
