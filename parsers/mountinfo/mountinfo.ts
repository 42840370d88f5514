import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

export type Mount = Readonly<{
  /** The folder of the file system that is mounted: "/" unless it is a bind mount. */
  root: string;
  /** As seen by the process. Pass it through `untrusted()` before it is shown. */
  mount_point: string;
  fs_type: string;
  source: string;
  super_options: readonly string[];
}>;

/**
 * /proc/PID/mountinfo (fs/proc_namespace.c, show_mountinfo; proc(5)). Optional fields stand before
 * the dash. Blanks and backslashes in paths are written in octal.
 *
 *     32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
 *     23 0 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
 *
 * A line of another form becomes a warning.
 */
export function parseMountInfo(text: string): Parsed<readonly Mount[]> {
  const warnings: ParseWarning[] = [];
  const data: Mount[] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, root, point, type, source = '', options = ''] =
      /^\d+ \d+ \d+:\d+ (\S+) (\S+) \S+ (?:\S+ )*?- (\S+) (\S*) (\S+)$/.exec(line) ?? [];
    if (root === undefined || point === undefined || type === undefined) {
      warnings.push(warn(index + 1, 'not a mount', line));
      continue;
    }
    data.push({
      root: unescaped(root),
      mount_point: unescaped(point),
      fs_type: type,
      source: unescaped(source),
      super_options: options.split(','),
    });
  }
  return { data, warnings };
}

const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
