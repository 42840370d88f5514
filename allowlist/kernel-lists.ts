import { approve, type Command, oneOf } from './command.ts';
import { wrappers } from './programs.ts';

const places = {
  'filter-functions': '/sys/kernel/tracing/available_filter_functions',
  'kprobe-blacklist': '/sys/kernel/debug/kprobes/blacklist',
} as const;
export type KernelList = keyof typeof places;
export const kernelLists = ['filter-functions', 'kprobe-blacklist'] as const;

/**
 * `cat` of a list that the kernel shows to root alone: names of the functions that can be hooked, and
 * of those on which it refuses a probe. Who is root reads the file instead. The first has 60,000 lines.
 */
export function kernelList(list: KernelList): Command {
  return approve({
    program: wrappers.cat,
    args: [places[oneOf('list', list, kernelLists)]],
    limits: { duration_ms: 10_000, output_bytes: 64 * 1024 * 1024 },
    needsTracefs: list === 'filter-functions',
    request: { maker: 'kernelList', parameters: { list } },
  });
}
