import { completeLines } from '../lines.ts';

/**
 * `available_filter_functions` of tracefs (kernel/trace/ftrace.c): what ftrace can hook, in order
 * of address. A function of a module carries its name:
 *
 *     vfs_read
 *     ext4_readdir [ext4]
 *
 * Static functions of one name stand once each. A place whose function is gone is printed as
 * `__ftrace_invalid_address___<offset>` (since 5.18) and left out. Lines stay as they are: tens of
 * thousands of them are read where fifty are shown.
 */
export function parseFilterFunctions(text: string): readonly string[] {
  const lines = completeLines(text);
  if (!text.includes(invalid)) return lines;
  return lines.filter((line) => !line.startsWith(invalid));
}

const invalid = '__ftrace_invalid_address___';
