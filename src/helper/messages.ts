import * as z from 'zod/v4';
import type { Finished } from '../exec/start.ts';

/**
 * What a helper is told, one line of JSON each. Nothing in it is a path, a command line or the text of
 * a program; `parameters` are checked by the schema of their maker (allowlist/requests.ts).
 */
const run = z.int().min(1).max(0xffff_ffff);
const file = z.string().max(60);

const message = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('start'),
    run,
    maker: z.string().max(40),
    parameters: z.record(z.string().max(40), z.unknown()),
  }),
  z.strictObject({ op: z.literal('stop'), run }),
  z.strictObject({ op: z.literal('cancel'), run }),
  z.strictObject({ op: z.literal('printMaps'), run, signal: z.enum(['SIGUSR1', 'SIGWINCH']) }),
  /** A word for perf's control channel. */
  z.strictObject({ op: z.literal('tell'), run, word: z.enum(['enable', 'ping']) }),
  /** A piece of a file that a program of this session wrote. */
  z.strictObject({
    op: z.literal('read'),
    run,
    file,
    offset: z.int().min(0),
    bytes: z
      .int()
      .min(1)
      .max(1024 * 1024),
  }),
  z.strictObject({ op: z.literal('remove'), file }),
]);

export type Message = z.infer<typeof message>;

/** A line of a request; null where it is none. */
export function parseMessage(line: string): Message | null {
  try {
    const { success, data } = message.safeParse(JSON.parse(line));
    return success ? data : null;
  } catch {
    return null;
  }
}

/** What a helper answers as JSON. */
export const helloAnswer = z.object({ protocol: z.int() });
export const startedAnswer = z.object({ pid: z.int().min(1) });
export const finishedAnswer: z.ZodType<Finished> = z.object({
  stdout: z.literal(''),
  stderr: z.string(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  stopped_by: z.enum(['exit', 'deadline', 'output_limit', 'canceled', 'caller']),
  duration_ms: z.number(),
});
/** Of the errors that a start can end in. */
export const refusedAnswer = z.object({
  code: z
    .enum(['NOT_ALLOWED', 'TOOL_NOT_FOUND', 'EXECUTION_FAILED', 'CANCELED', 'PROFILER_BUSY'])
    .catch('EXECUTION_FAILED'),
  message: z.string(),
  suggestion: z.string(),
});
