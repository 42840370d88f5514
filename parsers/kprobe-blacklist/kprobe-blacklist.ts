import { completeLines } from '../lines.ts';

/**
 * `/sys/kernel/debug/kprobes/blacklist` (kernel/kprobes.c): functions that the kernel refuses to
 * probe, because probing needs them.
 *
 *     0xffffffff81c00010-0xffffffff81c00134	asm_exc_divide_error
 *     0xffffffff810a5c90-0xffffffff810a5d10	do_int3
 */
export function parseKprobeBlacklist(text: string): readonly string[] {
  return completeLines(text).map((line) => line.slice(line.indexOf('\t') + 1));
}
