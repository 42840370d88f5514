import type { Context } from '../context.ts';
import { hasCapability } from '../procfs/effective-capabilities.ts';

export type TracefsPlace = Readonly<{
  /** The folder, or null where it cannot be read. */
  path: string | null;
  reason: string | null;
  fix: string | null;
}>;

/** Its own mount point since 4.1; kernels mount it below debugfs as well. */
const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

export const mount_tracefs = 'sudo mount -t tracefs nodev /sys/kernel/tracing';

/** What the root user of a container lacks. */
export const add_sys_admin = 'Start the container with --privileged, or --cap-add SYS_ADMIN.';

/** Where tracefs is at the moment: it can be mounted while a server runs. */
export function locateTracefs({ files, uid, helper }: Context): TracefsPlace {
  const path = places.find((place) => files.read(`${place}/available_events`, 1).ok);
  if (path !== undefined) return { path, reason: null, fix: null };
  const mounted = files.text('/proc/self/mountinfo')?.includes(' - tracefs ') ?? false;
  if (uid !== 0 && (mounted || files.exists('/sys/kernel/tracing'))) {
    // Tracers of a helper find it.
    const fix = helper.route() === null ? 'sudo tracewright mcp' : null;
    return { path: null, reason: 'Only root may read tracefs.', fix };
  }
  if (!mounted && files.exists('/sys/kernel/tracing')) {
    if (uid === 0 && hasCapability(files, 'sys_admin') === false) {
      const reason =
        'tracefs is not mounted, and only a root user with CAP_SYS_ADMIN may mount it.';
      return { path: null, reason, fix: add_sys_admin };
    }
    return { path: null, reason: 'tracefs is not mounted.', fix: mount_tracefs };
  }
  return { path: null, reason: 'The kernel has no tracefs that can be read.', fix: null };
}
