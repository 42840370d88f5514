import { untrusted } from '../untrusted.ts';

/** The name that a sched_ext scheduler gave itself. */
export type ScxOps = Readonly<{
  /** The whole name as the kernel shows it. */
  ops: string;
  name: string;
  version: string | null;
  /** Commit and target of the build, such as `g7a58a3a1_x86_64_unknown_linux_gnu`. */
  build: string | null;
}>;

// lavd_1.1.2_g7a58a3a1_dirty_x86_64_unknown_linux_gnu; a suffix such as -rc1 arrives as _rc1.
const versioned = /^(.+?)_(\d+\.\d+\.\d+(?:_(?:alpha|beta|pre|rc)[\w.]*?)?)(?:_(.+))?$/;

/**
 * `/sys/kernel/sched_ext/root/ops` (kernel/sched/ext.c): one line, the `name` of sched_ext_ops.
 *
 *     simple
 *     lavd_1.1.2_g7a58a3a1_x86_64_unknown_linux_gnu
 *
 * Schedulers in Rust append `_<semver>[_g<sha>[_dirty]]_<target triple>` to their name, put `_` for
 * every character outside [A-Za-z0-9._] and cut at 127 bytes, so the end may be missing. Other
 * schedulers give a name alone. Null where the file is empty.
 */
export function parseScxOps(text: string): ScxOps | null {
  const ops = untrusted(text);
  if (ops === '') return null;
  const [, name, version, build] = versioned.exec(ops) ?? [];
  if (name === undefined) return { ops, name: ops, version: null, build: null };
  return { ops, name, version: version ?? null, build: build ?? null };
}
