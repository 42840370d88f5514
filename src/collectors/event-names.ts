import { untrusted } from '../../parsers/untrusted.ts';
import { BadPattern, type NamePattern, namePattern } from '../analysis/name-pattern.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { kernelFunctions } from './kernel-functions.ts';
import { functionName, missingProbes } from './kprobe-functions.ts';
import { eventListing, unknownSubsystem } from './trace-events.ts';

type Query = Readonly<{
  event_type: 'perf' | 'kprobe' | 'all';
  subsystem?: string | undefined;
  filter?: string | undefined;
  limit: number;
  offset: number;
}>;

export type EventNames = Readonly<{
  event_type: Query['event_type'];
  subsystem: string | null;
  total_count: number | null;
  returned_count: number;
  offset: number;
  limit: number;
  has_more: boolean;
  /** Trace events as `<subsystem>:<event>`, functions by their name. */
  events: readonly string[];
  filter_applied: string | null;
}>;

/** Names of one kind of event; null where this host cannot list them. */
type Listed = Readonly<{
  names: readonly string[] | null;
  source: string;
  unavailable: readonly Unavailable[];
}>;

/** Trace events of one subsystem, functions of the kernel, or first the ones and then the others. */
export async function collectEventNames(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<EventNames>> {
  const { event_type, subsystem, filter, limit, offset } = query;
  const fits = patternOf(filter);
  const lists = [
    ...(event_type === 'kprobe' ? [] : [await eventsOf(ctx, subsystem, call)]),
    ...(event_type === 'perf' ? [] : [await functionsOf(ctx, call)]),
  ];
  const fitting = lists.flatMap(({ names }) => pick(names ?? [], fits));
  const shown = page(fitting, { limit, offset });
  const missing = lists.some(({ names }) => names === null);
  const unavailable = lists.flatMap((list) => list.unavailable);
  return {
    data: {
      event_type,
      subsystem: subsystem === undefined ? null : untrusted(subsystem, 100),
      total_count: missing ? null : shown.total,
      returned_count: shown.rows.length,
      offset,
      limit,
      has_more: shown.next_offset !== null,
      events: shown.rows,
      filter_applied: filter === undefined ? null : untrusted(filter),
    },
    source: lists.map(({ source }) => source).join(', '),
    summary: [`${shown.rows.length} of ${shown.total} names.`, ...unavailable.map(inWords)],
    unavailable,
    ...cut(shown, `the same call with offset ${shown.next_offset}`),
  };
}

const inWords = ({ what, reason }: Unavailable): string => `No ${what}: ${reason}`;

function patternOf(filter: string | undefined): NamePattern | null {
  return filter === undefined ? null : orInvalid(() => namePattern(filter));
}

function pick(names: readonly string[], fits: NamePattern | null): readonly string[] {
  return fits ? orInvalid(() => names.filter(fits)) : names;
}

function orInvalid<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof BadPattern ? badFilter(error) : error;
  }
}

const badFilter = (error: BadPattern): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    `filter: ${error.message}`,
    'Use plain text such as "wakeup", or ^ $ . [a-z] * + ? | ( ) as in "^sched_(switch|wakeup)".',
    error,
  );

/** What the kernel calls them; anything else cannot be one, whether or not they can be listed. */
const subsystem_name = /^[\w-]{1,64}$/;

async function eventsOf(ctx: Context, subsystem: string | undefined, call: Call): Promise<Listed> {
  const { tracepoints, source, unavailable } = await eventListing(ctx, call);
  if (tracepoints === null) {
    if (subsystem !== undefined && !subsystem_name.test(subsystem)) {
      throw unknownSubsystem(`subsystem: "${untrusted(subsystem, 80)}" is not a name.`, []);
    }
    return {
      names: null,
      source,
      unavailable: unavailable.filter(({ what }) => what === 'events://perf'),
    };
  }
  if (subsystem === undefined) {
    throw unknownSubsystem('subsystem: needed to list trace events.', tracepoints);
  }
  const group = tracepoints.find((each) => each.subsystem === subsystem);
  if (!group) {
    const what = `subsystem: there is none called "${untrusted(subsystem, 80)}".`;
    throw unknownSubsystem(what, tracepoints);
  }
  const names = group.events.map((event) => `${group.subsystem}:${event}`);
  return { names, source, unavailable: [] };
}

async function functionsOf(ctx: Context, call: Call): Promise<Listed> {
  const listing = await kernelFunctions(ctx, call);
  if (listing) {
    const { functions, source } = listing;
    return {
      names: functions.map(functionName),
      source,
      unavailable: missingProbes(listing),
    };
  }
  const reason = 'Neither tracefs, BTF nor /proc/kallsyms can be read.';
  return {
    names: null,
    source: 'nothing',
    unavailable: [{ what: 'kernel functions', reason, fix: null }],
  };
}
