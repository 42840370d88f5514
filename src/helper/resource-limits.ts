/**
 * What whoever starts a helper through sudo could end it by, or keep it from writing its audit with:
 * sudo hands on the limits of the user (ulimit), and the kernel sends SIGXFSZ, SIGXCPU or no memory.
 */
const needed = ['Max cpu time', 'Max file size', 'Max data size', 'Max address space'] as const;

/** The first of these that is limited, of the text of /proc/PID/limits; null where none is. */
export function limitedResource(limits: string): string | null {
  const isFree = (name: string): boolean =>
    new RegExp(`^${name} +unlimited +unlimited `, 'm').test(limits);
  return needed.find((name) => !isFree(name)) ?? null;
}
