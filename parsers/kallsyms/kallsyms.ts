import { completeLines } from '../lines.ts';

/**
 * The functions of `/proc/kallsyms` (kernel/kallsyms.c), as `name` or `name [module]`:
 *
 *     ffffffff8147f1c0 T vfs_read
 *     ffffffffc0201000 t ext4_readdir	[ext4]
 *
 * Types t and T are code, w and W weak code. Addresses are zeros for whoever may not see them; the
 * names are for everybody. The paddings before functions (`__pfx_`, since 6.2, and `__cfi_`) have
 * names and are no functions.
 */
export function parseKallsymsFunctions(text: string): readonly string[] {
  const functions: string[] = [];
  for (const line of completeLines(text)) {
    const type = line.indexOf(' ') + 1;
    if (!'tTwW'.includes(line.charAt(type)) || line.charAt(type + 1) !== ' ') continue;
    const name = line.slice(type + 2);
    if (name.startsWith('__pfx_') || name.startsWith('__cfi_')) continue;
    functions.push(name.replace('\t', ' '));
  }
  return functions;
}
