import { bpftoolFeatureProbe } from '../../allowlist/bpftool.ts';
import { type KernelList, kernelList } from '../../allowlist/kernel-lists.ts';
import {
  type BpfFeatures,
  parseBpftoolFeature,
} from '../../parsers/bpftool-feature/bpftool-feature.ts';
import { parseBtfFunctions } from '../../parsers/btf/btf.ts';
import { parseFilterFunctions } from '../../parsers/filter-functions/filter-functions.ts';
import { parseKallsymsFunctions } from '../../parsers/kallsyms/kallsyms.ts';
import { parseKprobeBlacklist } from '../../parsers/kprobe-blacklist/kprobe-blacklist.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import { keptListing } from './kept-listing.ts';
import { kernelFacts } from './kernel-facts.ts';
import { runsPrivileged } from './privileges.ts';
import { locateTracefs } from './tracefs.ts';

/** Functions of the kernel that a probe may be put on. */
export type FunctionListing = Readonly<{
  /** As `name` or `name [module]`. */
  functions: readonly string[];
  /** On which the kernel refuses a kprobe, as far as it can be read. */
  refused: ReadonlySet<string>;
  /** The kind of probe that the source of the list speaks of. */
  attach: 'kprobe' | 'fentry';
  source: string;
  /** Why not the list of ftrace itself; null where it is that. */
  note: string | null;
  /** Whether this kernel takes the probe at all; null where nobody could say. */
  kprobes_available: boolean | null;
  fentry_available: boolean | null;
}>;

const mib = 1024 * 1024;
const ftrace_list = 'available_filter_functions';

/** The list, best source first, or null where no source can be read. */
export const kernelFunctions = keptListing(
  async (ctx: Context, call: Call): Promise<FunctionListing | null> => {
    const refused = await refusedFunctions(ctx, call);
    const found = (await fromFtrace(ctx, call)) ?? fromBtf(ctx) ?? fromKallsyms(ctx, refused);
    if (!found) return null;
    const probed = found.attach === 'fentry' ? await probeOnce(ctx, call) : unknown;
    const kprobes_available = kernelFacts(ctx).kprobes.value ?? probed.kprobe_events;
    return { ...found, refused, kprobes_available, fentry_available: probed.tracing };
  },
);

type Found = Pick<FunctionListing, 'functions' | 'attach' | 'source' | 'note'>;

async function fromFtrace(ctx: Context, call: Call): Promise<Found | null> {
  const path = locateTracefs(ctx).path ?? '/sys/kernel/tracing';
  const source = `${path}/${ftrace_list}`;
  const file = ctx.files.read(source, 64 * mib);
  const text = file.ok ? file.text : await fromHelper(ctx, 'filter-functions', call);
  if (text === null) return null;
  return { functions: parseFilterFunctions(text), attach: 'kprobe', source, note: null };
}

async function refusedFunctions(ctx: Context, call: Call): Promise<ReadonlySet<string>> {
  const own = ctx.files.text('/sys/kernel/debug/kprobes/blacklist');
  return new Set(
    parseKprobeBlacklist(own ?? (await fromHelper(ctx, 'kprobe-blacklist', call)) ?? ''),
  );
}

/** A file that is for root, where somebody is that for us; null where it cannot be read. */
async function fromHelper(ctx: Context, list: KernelList, call: Call): Promise<string | null> {
  if (ctx.helper.route() === null) return null;
  try {
    const { stdout, exit_code } = await ctx.run(kernelList(list), { signal: call.signal });
    return exit_code === 0 ? stdout : null;
  } catch (thrown) {
    if (toTracewrightError(thrown).code === 'CANCELED') throw thrown;
    return null;
  }
}

function fromBtf(ctx: Context): Found | null {
  const source = '/sys/kernel/btf/vmlinux';
  const bytes = ctx.files.bytes(source, 64 * mib);
  if (!bytes) return null;
  try {
    const note = `${whyNotFtrace(ctx)} The names are those of BTF; functions of modules are not among them, and some cannot be hooked.`;
    return { functions: parseBtfFunctions(bytes), attach: 'fentry', source, note };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

function fromKallsyms(ctx: Context, refused: ReadonlySet<string>): Found | null {
  const source = '/proc/kallsyms';
  const file = ctx.files.read(source, 64 * mib);
  if (!file.ok) return null;
  const functions = parseKallsymsFunctions(file.text).filter((name) => !refused.has(name));
  const note = `${whyNotFtrace(ctx)} The names are code symbols; some cannot be probed.`;
  return { functions, attach: 'kprobe', source, note };
}

function whyNotFtrace(ctx: Context): string {
  const { path, reason } = locateTracefs(ctx);
  if (path === null) return reason ?? '';
  const file = ctx.files.read(`${path}/${ftrace_list}`, 1);
  if (!file.ok && file.absence === 'denied') return `The kernel refuses to show ${ftrace_list}.`;
  return 'The kernel was built without CONFIG_DYNAMIC_FTRACE.';
}

const unknown: BpfFeatures = { tracing: null, kprobe_events: null };

const probed = new WeakMap<Context, BpfFeatures>();

/**
 * Whether a program of type tracing loads is known by loading one, which bpftool does among some
 * thousand others (each a line in the log of a host with auditing): so once per server, and only
 * where nothing else tells. As another user than root it cannot.
 */
async function probeOnce(ctx: Context, call: Call): Promise<BpfFeatures> {
  const before = probed.get(ctx);
  if (before) return before;
  if (!runsPrivileged(ctx)) return unknown;
  try {
    const { stdout } = await ctx.run(bpftoolFeatureProbe(), { signal: call.signal });
    const features = parseBpftoolFeature(stdout);
    probed.set(ctx, features);
    return features;
  } catch (thrown) {
    if (toTracewrightError(thrown).code === 'CANCELED') throw thrown;
    return unknown;
  }
}
