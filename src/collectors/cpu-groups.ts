/** CPUs put into groups; `of` tells the group of a CPU. Ordered by the lowest CPU of each. */
export type CpuGroups = Readonly<{
  groups: readonly (readonly number[])[];
  of: ReadonlyMap<number, number>;
}>;

/**
 * Puts ascending CPUs into groups, asking once per group and not once per CPU: `membersOf` says who
 * belongs together with a CPU that is in no group yet, either by their ids, or by a key that it says
 * for each of them, or null where the CPU belongs to none.
 */
export function groupCpus(
  cpus: readonly number[],
  membersOf: (cpu: number) => readonly number[] | string | null,
): CpuGroups {
  const known = new Set(cpus);
  const groups: number[][] = [];
  const of = new Map<number, number>();
  const byKey = new Map<string, number>();

  function groupOfKey(key: string): number {
    const group = byKey.get(key) ?? groups.push([]) - 1;
    byKey.set(key, group);
    return group;
  }

  for (const cpu of cpus) {
    if (of.has(cpu)) continue;
    const members = membersOf(cpu);
    if (members === null) continue;
    const group = typeof members === 'string' ? groupOfKey(members) : groups.push([]) - 1;
    // A container can show fewer CPUs than the lists of the hardware name.
    const named = typeof members === 'string' ? [] : members;
    for (const member of new Set([cpu, ...named])) {
      if (!known.has(member) || of.has(member)) continue;
      groups[group]?.push(member);
      of.set(member, group);
    }
  }
  return { groups, of };
}
