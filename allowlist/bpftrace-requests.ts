import * as z from 'zod/v4';
import { wholePrograms } from './bpftrace-program.ts';
import { insertSymbols } from './dsq-program.ts';
import { functionModes, most_functions } from './function-program.ts';
import { type PlainFragment, type StreamPart, streamFragments } from './stream-program.ts';

/** What a request for a run of bpftrace may say. Names and ranges are checked again as it is made. */

const symbol = z.enum(insertSymbols);
const position = z.int().min(0).max(15);
const registers = z.union([z.literal(6), z.literal(8)]);

const probe = z.discriminatedUnion('by', [
  z.strictObject({ symbol, by: z.literal('name'), kind: z.enum(['fentry', 'kfunc']) }),
  z.strictObject({
    symbol,
    by: z.literal('register'),
    kind: z.literal('kprobe'),
    registers,
    positions: z.strictObject({
      p: position,
      dsq: position,
      enq_flags: position,
      slice: z.exactOptional(position),
      vtime: z.exactOptional(position),
    }),
  }),
]);

const withMore = [
  'sched-wake',
  'sched-wake-raw',
  'kprobe',
  'perf-sample',
  'dsq-note',
  'dsq-insert',
  'alert-dsq',
] as const;
const plainFragments = streamFragments.filter(
  (each): each is PlainFragment => !withMore.some((other) => other === each),
);

const functionName = z.string().max(128);

const part: z.ZodType<StreamPart> = z.discriminatedUnion('fragment', [
  z.strictObject({ fragment: z.enum(plainFragments) }),
  z.strictObject({
    fragment: z.enum(['sched-wake', 'sched-wake-raw']),
    event: z.enum(['sched_waking', 'sched_wakeup', 'sched_wakeup_new']),
  }),
  z.strictObject({ fragment: z.literal('kprobe'), function: functionName, registers }),
  z.strictObject({ fragment: z.literal('perf-sample'), raw: z.boolean() }),
  z.strictObject({ fragment: z.enum(['dsq-note', 'dsq-insert', 'alert-dsq']), probe }),
]);

const program = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('whole'), name: z.enum(wholePrograms) }),
  z.strictObject({
    kind: z.literal('libc'),
    name: z.literal('gethostlatency'),
    libc: z.string().max(200),
  }),
  z.strictObject({ kind: z.literal('dsq'), probe }),
  z.strictObject({
    kind: z.literal('functions'),
    mode: z.enum(functionModes),
    probes: z
      .array(z.strictObject({ name: functionName, kind: z.enum(['fentry', 'kfunc', 'kprobe']) }))
      .min(1)
      .max(most_functions),
  }),
  z.strictObject({
    kind: z.literal('stream'),
    parts: z.array(part).max(streamFragments.length),
    shows_records: z.boolean(),
    with_tracer: z.boolean(),
  }),
]);

const most_parameters = 40;
/** A collection may last a day. */
export const longest_ms = 90_000_000;

export const bpftraceRun = z.strictObject({
  program,
  parameters: z.array(z.int().min(0)).max(most_parameters),
  duration_ms: z.int().min(1).max(longest_ms),
  format: z.exactOptional(z.enum(['json', 'text'])),
  buffering: z.exactOptional(z.enum(['line', 'full'])),
  user_symbols: z.exactOptional(z.boolean()),
  goes_before: z.exactOptional(z.boolean()),
  output_bytes: z.exactOptional(z.int().min(1)),
  map_keys: z.exactOptional(z.int()),
  quiet: z.exactOptional(z.boolean()),
  string_bytes: z.exactOptional(z.int()),
  one_process: z.exactOptional(z.boolean()),
  buffer_pages: z.exactOptional(z.int()),
});
