import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

export type CgroupMembership = Readonly<{
  /** 0 is the unified (v2) hierarchy. */
  hierarchy: number;
  /** Empty for v2; `name=systemd` for a named v1 hierarchy without controller. */
  controllers: readonly string[];
  /** As its creator wrote it. Pass it through `untrusted()` before it is shown. */
  path: string;
}>;

/**
 * /proc/PID/cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show; cgroups(7)).
 *
 *     4:memory:/system.slice/ssh.service
 *     0::/user.slice/user-0.slice/session-1.scope
 *
 * v1 prints one line per hierarchy, v2 one line, hybrid hosts both. A path may hold `:`, and ends in
 * ` (deleted)` when the group was removed under a zombie.
 */
export function parsePidCgroup(text: string): Parsed<readonly CgroupMembership[]> {
  const data: CgroupMembership[] = [];
  const warnings: ParseWarning[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const match = /^(\d{1,20}):([^:]*|name=[^:]*):(\/.*)$/u.exec(line);
    if (match === null) {
      warnings.push(warn(index + 1, 'not hierarchy:controllers:path', line));
      continue;
    }
    const [, hierarchy, controllers = '', path = ''] = match;
    data.push({
      hierarchy: Number(hierarchy),
      controllers: controllers === '' ? [] : controllers.split(','),
      path,
    });
  }
  return { data, warnings };
}

/**
 * The path that says most about where a process belongs: v2, else the cpu hierarchy, else systemd's
 * own, else any; the first of them that is not the root. `/` when all are, null for an empty list.
 */
export function mainCgroupPath(memberships: readonly CgroupMembership[]): string | null {
  const rank = ({ hierarchy, controllers }: CgroupMembership): number => {
    if (hierarchy === 0) return 0;
    if (controllers.includes('cpu')) return 1;
    return controllers.includes('name=systemd') ? 2 : 3;
  };
  const ranked = memberships.toSorted((a, b) => rank(a) - rank(b));
  const chosen = ranked.find(({ path }) => path !== '/') ?? ranked[0];
  return chosen?.path ?? null;
}
