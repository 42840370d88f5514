import { hideKernelAddresses } from '../../parsers/kernel-address.ts';
import type { NumberedEvent } from '../../parsers/stream/stream-json.ts';

/** Types of event with addresses of the kernel, and how their records begin. */
const withAddresses: ReadonlySet<string> = new Set(['perf_sample', 'kprobe', 'ipi']);
const recordWithAddresses = /^[plj]\t/;

const hideInText = (text: string): string => hideKernelAddresses(text, '0x0');

/** The event for a reader who is not to see addresses. */
export function hideInEvent(event: NumberedEvent): NumberedEvent {
  if (!withAddresses.has(event.type)) return event;
  const hide = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hide);
    return typeof value === 'string' ? hideInText(value) : value;
  };
  const fields = Object.entries(event).map(([name, value]) => [name, hide(value)]);
  return { ...event, ...Object.fromEntries(fields) };
}

/** The same of a line of JSON that was made of a record. */
export const hideInLine = (record: string, line: string): string =>
  recordWithAddresses.test(record) ? hideInText(line) : line;
