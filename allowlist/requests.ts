import * as z from 'zod/v4';
import {
  bpftoolFeatureProbe,
  bpftoolObjects,
  bpftoolShow,
  bpftoolStructOpsDump,
} from './bpftool.ts';
import { bpftraceScript } from './bpftrace.ts';
import type { Workshop } from './bpftrace-program.ts';
import { bpftraceRun, longest_ms } from './bpftrace-requests.ts';
import { type Command, type PrivilegedMaker, privilegedMakers, Refused } from './command.ts';
import { kernelMessages } from './dmesg.ts';
import { kernelList, kernelLists } from './kernel-lists.ts';
import { perfRecordEvents, perfScriptEvents, perfTraceEvents } from './perf-events.ts';
import { perfList, perfListKinds } from './perf-list.ts';
import { hardwareEvents, perfRecord, softwareEvents } from './perf-record.ts';
import { perfScript } from './perf-script.ts';
import { perfStat } from './perf-stat.ts';
import { perfTraceSummary } from './perf-trace.ts';
import { traceTools } from './programs.ts';
import { bpfStatsHelper } from './self.ts';
import { traceTool, traceToolFamilies } from './trace-tool.ts';

/** What the helper itself has: nothing of it is of the caller's choice. */
export type Ground = Workshop &
  Readonly<{
    /** A file of this session that a program writes, by the name that the caller gave it. */
    output(name: string): string;
    node: string;
    bundle: string;
  }>;

type Make = (parameters: unknown, ground: Ground) => Command;

const duration = z.int().min(1).max(longest_ms);
const bytes = z.int().min(1);
const pid = z.int().min(1).max(4_194_304);
/** The kind is part of the name: what one program wrote is not read as what another writes. */
const recording = z.string().regex(/^[a-z][a-z0-9_-]{0,50}\.data$/);
const summary = z.string().regex(/^[a-z][a-z0-9_-]{0,50}\.txt$/);
const nothing = z.strictObject({});

const event = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hw'), name: z.enum(hardwareEvents) }),
  z.strictObject({ kind: z.literal('sw'), name: z.enum(softwareEvents) }),
  z.strictObject({
    kind: z.literal('tracepoint'),
    subsystem: z.string().max(64),
    name: z.string().max(64),
  }),
]);

const target = z.discriminatedUnion('scope', [
  z.strictObject({ scope: z.literal('all') }),
  z.strictObject({ scope: z.literal('cpu'), cpu: z.int().min(0) }),
  z.strictObject({ scope: z.literal('pid'), pid }),
]);

const makers: Readonly<Record<PrivilegedMaker, Make>> = {
  bpftoolShow: checked(z.strictObject({ object: z.enum(bpftoolObjects) }), ({ object }) =>
    bpftoolShow(object),
  ),
  bpftoolStructOpsDump: checked(nothing, bpftoolStructOpsDump),
  bpftoolFeatureProbe: checked(nothing, bpftoolFeatureProbe),
  bpftraceScript: checked(bpftraceRun, bpftraceScript),
  kernelMessages: checked(nothing, kernelMessages),
  kernelList: checked(z.strictObject({ list: z.enum(kernelLists) }), ({ list }) =>
    kernelList(list),
  ),
  perfList: checked(z.strictObject({ kinds: z.array(z.enum(perfListKinds)).max(3) }), ({ kinds }) =>
    perfList(kinds),
  ),
  perfRecord: checked(
    z.strictObject({
      event,
      user_only: z.boolean(),
      rate: z.union([z.strictObject({ freq_hz: z.int() }), z.strictObject({ period: z.int() })]),
      target,
      callgraph: z.literal('fp'),
      output: recording,
      max_bytes: bytes,
      duration_ms: duration,
      private_mounts: z.boolean(),
      monotonic: z.exactOptional(z.boolean()),
    }),
    (asked, { output }) => perfRecord({ ...asked, output: output(asked.output) }),
  ),
  perfRecordEvents: checked(
    z.strictObject({
      events: z.array(z.enum(perfTraceEvents)).min(1).max(perfTraceEvents.length),
      stacks: z.boolean(),
      duration_ms: duration,
      output: recording,
      max_bytes: bytes,
    }),
    (asked, { output }) => perfRecordEvents({ ...asked, output: output(asked.output) }),
  ),
  perfScript: checked(
    z.strictObject({ recording, times: z.enum(['us', 'ns']) }),
    ({ recording: name, times }, { output }) => perfScript(output(name), times),
  ),
  perfScriptEvents: checked(z.strictObject({ recording, stacks: z.boolean() }), (asked, ground) =>
    perfScriptEvents(ground.output(asked.recording), asked.stacks),
  ),
  perfStatPerCpu: checked(z.strictObject({ window_ms: z.int() }), ({ window_ms }) =>
    perfStat.perCpu(window_ms),
  ),
  perfTraceSummary: checked(
    z.strictObject({ pid: pid.nullable(), duration_ms: duration, output: summary }),
    (asked, { output }) => perfTraceSummary({ ...asked, output: output(asked.output) }),
  ),
  traceTool: checked(
    z.strictObject({
      family: z.enum(traceToolFamilies),
      tool: z.enum(traceTools),
      args: z
        .array(
          z.union([z.string().max(16), z.int(), z.tuple([z.string().max(16), z.int()]).readonly()]),
        )
        .max(12),
      duration_ms: duration,
      output_bytes: bytes,
    }),
    traceTool,
  ),
  bpfStatsWindow: checked(
    z.strictObject({ duration_ms: duration }),
    ({ duration_ms }, { node, bundle }) => bpfStatsHelper(node, bundle, duration_ms),
  ),
};

/** The command that a request stands for, or Refused: made here from nothing but what is checked. */
export function requestedCommand(maker: string, parameters: unknown, ground: Ground): Command {
  const known = privilegedMakers.find((each) => each === maker);
  if (known === undefined) throw new Refused('this is nothing that the helper runs');
  return makers[known](parameters, ground);
}

function checked<S extends z.ZodType>(
  schema: S,
  make: (asked: z.output<S>, ground: Ground) => Command,
): Make {
  return (parameters, ground) => {
    const { success, data, error } = schema.safeParse(parameters);
    if (success) return make(data, ground);
    const [issue] = error.issues;
    const where = issue?.path.map(String).join('.') || 'parameters';
    throw new Refused(`${where.slice(0, 100)}: ${issue?.message.slice(0, 200) ?? 'not valid'}`);
  };
}
