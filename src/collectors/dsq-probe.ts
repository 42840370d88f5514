import {
  givenArguments,
  type InsertProbe,
  insertArguments,
  insertSymbols,
} from '../../allowlist/dsq-program.ts';
import { parseBtfParameters } from '../../parsers/btf/btf.ts';
import type { Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { fentryProvider } from './bpftrace-version.ts';

const vmlinux = '/sys/kernel/btf/vmlinux';
const largest_btf_bytes = 64 * 1024 * 1024;
/** bpftrace reaches arguments of fentry by name up to this many. */
const most_named_parameters = 6;

/** How this kernel's inserts into dispatch queues are probed, or why they cannot be. */
export async function chooseInsertProbe(ctx: Context): Promise<InsertProbe | Unavailable> {
  const bytes = ctx.files.bytes(vmlinux, largest_btf_bytes);
  if (!bytes) return cannot(`${vmlinux} is not readable: the kernel has no BTF.`);
  const parameters = parseBtfParameters(bytes, insertSymbols);
  const symbol = insertSymbols.find((name) => parameters.has(name));
  const names = symbol && parameters.get(symbol);
  if (!names) {
    return cannot(`The kernel has none of ${insertSymbols.join(', ')}, where tasks enter a queue.`);
  }
  const position = (name: string): number => names.indexOf(name);
  const lacking = insertArguments.find((name) => position(name) < 0);
  if (lacking) return cannot(`${symbol} of this kernel has no parameter ${lacking}.`);
  if (names.length <= most_named_parameters) {
    return { symbol, by: 'name', kind: await fentryProvider(ctx) };
  }
  const given = givenArguments.filter((name) => names.includes(name));
  const positions = {
    ...{ p: position('p'), dsq: position('dsq'), enq_flags: position('enq_flags') },
    ...Object.fromEntries(given.map((name) => [name, position(name)])),
  };
  return { symbol, by: 'register', kind: 'kprobe', registers: ctx.registers, positions };
}

export const dsq_uri = 'stats://aggregated/dsq';

const cannot = (reason: string): Unavailable => ({ what: dsq_uri, reason, fix: null });
