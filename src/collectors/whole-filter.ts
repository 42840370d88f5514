import type { EventType } from '../../parsers/stream/stream.ts';
import type { EventFilter } from './event-tracer.ts';

/** Everything, of every task. */
export const wholeFilter = (types: readonly EventType[]): EventFilter => ({
  types,
  pid: null,
  tgid: null,
  comm: null,
  cpu: null,
  min_latency_us: null,
  sample: 1,
  kprobe: null,
});
