import * as z from 'zod/v4';
import type { Context } from './context.ts';
import type { Reading } from './reading.ts';
import { version } from './version.ts';

/** What every tool answers: how the data was measured beside the data. */
export type Envelope = Readonly<{
  success: true;
  tool: string;
  tool_version: string;
  timestamp: string;
  duration_ms: number;
  host: string;
  summary: readonly string[];
  data: object;
}> &
  Omit<Reading<object>, 'data' | 'summary' | 'picture'>;

export function envelope(
  tool: string,
  reading: Reading<object>,
  ctx: Context,
  started_ms: number,
): Envelope {
  const { data, summary, picture: _, ...measured } = reading;
  return {
    success: true,
    tool,
    tool_version: version,
    timestamp: ctx.now().toISOString(),
    duration_ms: Math.round(ctx.monotonicMs() - started_ms),
    host: ctx.host,
    summary,
    ...measured,
    warnings: measured.warnings ?? [],
    data,
  };
}

/** A resource as JSON: the documented fields on top, how they were measured beside them. */
export function resourceDocument(reading: Reading<object>, ctx: Context): object {
  const { data, summary, picture: _, ...measured } = reading;
  return { summary, ...data, ...measured, timestamp: ctx.now().toISOString(), host: ctx.host };
}

/**
 * The output schema of a tool: its documented data inside the envelope. Loose everywhere, because
 * clients reject a result with a key that a strict schema does not name.
 */
export function envelopeSchema(data: z.ZodObject): z.ZodObject {
  return z.looseObject({
    success: z.literal(true),
    tool: z.string(),
    timestamp: z.string(),
    duration_ms: z.number(),
    host: z.string(),
    source: z.string(),
    summary: z.array(z.string()),
    warnings: z.array(z.string()),
    data,
  });
}
