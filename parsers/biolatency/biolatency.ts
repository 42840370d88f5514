import {
  type BpftraceOutput,
  readBpftraceOutput,
  type TraceHealth,
} from '../bpftrace-json/bpftrace-output.ts';
import { type Distribution, distributionOf } from '../distribution.ts';

/** Requests to block devices. Buckets are in the unit that the program was given. */
export type BiolatencyOutput = Readonly<{
  health: TraceHealth;
  all: Distribution;
  devices: readonly Readonly<{ major: number; minor: number; took: Distribution }>[];
  operations: readonly Readonly<{ operation: Operation; took: Distribution }>[];
  bytes: number | null;
}>;

export type Operation = 'read' | 'write' | 'discard' | 'flush' | 'other';
const operations: readonly Operation[] = ['other', 'read', 'write', 'discard', 'flush'];

const all = { hist: '@io', stats: '@io_ns', max: '@max_ns' };
const device = { hist: '@dev_io', stats: '@dev_ns', max: '@dev_max_ns' };
const operation = { hist: '', stats: '@op_ns', max: '@op_max_ns' };

/**
 * What scripts/bpftrace/biolatency.bt prints; `step` is its last parameter.
 *
 *     {"type": "hist", "data": {"@io": [{"min": 16, "max": 31, "count": 14582}]}}
 *     {"type": "stats", "data": {"@op_ns": {"1": {"count": 41, "average": 376756, …}}}}
 */
export function parseBiolatency(text: string, step = 0): BiolatencyOutput {
  const output = readBpftraceOutput(text);
  const whole = distributionOf(output, all);
  return {
    health: output.health,
    all: step === 0 ? whole : { ...whole, buckets: steps(output, step) },
    devices: [...output.stats(device.stats).keys()].map((key) => ({
      // dev_t inside the kernel: 12 bits of major above 20 of minor.
      major: Number(key) >>> 20,
      minor: Number(key) & 0xf_ffff,
      took: distributionOf(output, device, key),
    })),
    operations: [...output.stats(operation.stats).keys()].map((key) => ({
      operation: operations[Number(key)] ?? 'other',
      took: distributionOf(output, operation, key),
    })),
    bytes: output.map('@bytes').get('') ?? null,
  };
}

/** Ranges of equal width, both ends included. */
function steps(output: BpftraceOutput, step: number) {
  return [...output.map('@step')]
    .map(([index, count]) => ({
      min: Number(index) * step,
      max: (Number(index) + 1) * step - 1,
      count,
    }))
    .sort((a, b) => a.min - b.min);
}
