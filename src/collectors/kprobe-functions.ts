import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type FunctionListing, kernelFunctions } from './kernel-functions.ts';
import { mount_tracefs } from './tracefs.ts';

type Query = Readonly<{ limit: number; offset: number; match?: string | undefined }>;

export type KprobeFunctions = Readonly<{
  /** One page of names. */
  functions: readonly string[];
  count: number;
  /** Of all functions, or of those that match. */
  total: number | null;
  /** Functions of this page that belong to a module. */
  modules: readonly Readonly<{ function: string; module: string }>[];
  attach: 'kprobe' | 'fentry' | null;
  kprobes_available: boolean | null;
  fentry_available: boolean | null;
  /** Why the list is not that of ftrace; null where it is. */
  reason: string | null;
}>;

/** The functions of the kernel that a probe may be put on, a page at a time. */
export async function collectKprobeFunctions(
  ctx: Context,
  { limit, offset, match }: Query,
  call: Call,
): Promise<Reading<KprobeFunctions>> {
  const listing = await kernelFunctions(ctx, call);
  if (!listing) return noList;
  const wanted = match?.toLowerCase();
  const { functions, source, attach, kprobes_available, fentry_available, note } = listing;
  const fitting =
    wanted === undefined
      ? functions
      : functions.filter((name) => name.toLowerCase().includes(wanted));
  const shown = page(fitting, { limit, offset });
  const rest = new URLSearchParams({
    ...(match === undefined ? {} : { match }),
    offset: String(shown.next_offset),
  });
  return {
    data: {
      functions: shown.rows.map(functionName),
      count: shown.rows.length,
      total: shown.total,
      modules: shown.rows.flatMap(inModule),
      attach,
      kprobes_available,
      fentry_available,
      reason: note,
    },
    source,
    summary: [
      `${shown.total} functions of the kernel as ${attach} targets.`,
      ...obstacles(listing),
    ],
    unavailable: missingProbes(listing),
    ...cut(shown, `events://kprobe?${rest}`),
  };
}

const noList: Reading<KprobeFunctions> = {
  data: {
    functions: [],
    count: 0,
    total: null,
    modules: [],
    attach: null,
    kprobes_available: null,
    fentry_available: null,
    reason: 'Neither tracefs, BTF nor /proc/kallsyms can be read.',
  },
  source: 'nothing',
  summary: ['The functions of this kernel cannot be listed.'],
  unavailable: [
    {
      what: 'events://kprobe',
      reason: 'Neither tracefs, BTF nor /proc/kallsyms can be read.',
      fix: mount_tracefs,
    },
  ],
};

export function functionName(listed: string): string {
  const space = listed.indexOf(' ');
  return space < 0 ? listed : listed.slice(0, space);
}

function inModule(listed: string): readonly Readonly<{ function: string; module: string }>[] {
  const space = listed.indexOf(' [');
  if (space < 0) return [];
  return [{ function: listed.slice(0, space), module: listed.slice(space + 2, -1) }];
}

/** What this kernel refuses, whatever the list says. */
export function missingProbes({
  kprobes_available,
  fentry_available,
}: FunctionListing): readonly Unavailable[] {
  const kprobes = {
    what: 'kprobes',
    reason: 'The kernel has no kprobes (CONFIG_KPROBE_EVENTS).',
    fix: null,
  };
  const fentry = {
    what: 'fentry',
    reason: 'The kernel loads no BPF programs of type tracing.',
    fix: null,
  };
  return [
    ...(kprobes_available === false ? [kprobes] : []),
    ...(fentry_available === false ? [fentry] : []),
  ];
}

const obstacles = (listing: FunctionListing): string[] =>
  missingProbes(listing).map(({ reason }) => reason);
