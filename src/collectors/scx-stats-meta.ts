import { ParseError } from '../../parsers/parsed.ts';
import type { Json } from '../../parsers/scx-stats/exact-json.ts';
import { parseStatsMeta } from '../../parsers/scx-stats/stats-meta.ts';
import type { Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { cutJson, type LeftOut } from './json-part.ts';
import { noPart, statsUnavailable } from './scx-stats-absence.ts';
import type { StatsAnswer, StatsFailure } from './scx-stats-session.ts';

export type FieldDescriptions = Readonly<{
  value: Json;
  left_out: readonly LeftOut[];
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

/** What paths of left-out descriptions begin with; the name of the struct follows. */
export const meta_path = 'stats_meta.';

const none: FieldDescriptions = { value: null, left_out: [], warnings: [], unavailable: [] };

/**
 * The descriptions of the fields by struct, or of one struct by its name. `answer` null: they were
 * not asked for. INVALID_PARAMS for a struct that does not exist.
 */
export function describeFields(
  ctx: Context,
  answer: StatsAnswer | StatsFailure | null,
  wanted: string,
  budget_bytes: number,
): FieldDescriptions {
  if (answer === null) return none;
  const missing = (reason: string, fix: string | null): FieldDescriptions => {
    return { ...none, unavailable: [{ what: 'stats_meta', reason, fix }] };
  };
  if (!answer.ok) {
    const { reason, fix } = statsUnavailable(ctx, answer);
    return missing(reason, fix);
  }
  try {
    return describe(answer.resp, wanted, budget_bytes);
  } catch (error) {
    if (error instanceof ParseError) return missing(error.message, null);
    throw error;
  }
}

function describe(resp: Json, wanted: string, budget_bytes: number): FieldDescriptions {
  const { data, warnings } = parseStatsMeta(resp);
  const all = Object.entries(data);
  const chosen = wanted === 'true' ? all : all.filter(([name]) => name === wanted);
  if (chosen.length === 0 && wanted !== 'true') throw noPart('struct', wanted, Object.keys(data));
  const everything = { path: '', limit: chosen.length, offset: 0 };
  const { value } = cutJson(Object.fromEntries(chosen), everything, budget_bytes);
  const shown = new Set(Object.keys(value ?? {}));
  return {
    ...none,
    value,
    left_out: chosen
      .filter(([name]) => !shown.has(name))
      .map(([name, { fields }]) => ({
        path: `${meta_path}${name}`,
        entries: Object.keys(fields).length,
        bytes: Buffer.byteLength(JSON.stringify(fields)),
      })),
    warnings: warnings.map(({ reason, text }) => `stats_meta: ${reason}: ${text}`),
  };
}
