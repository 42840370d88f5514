import { Refused } from './command.ts';

/** The C library, glibc or musl, where distributions put it. */
const libc =
  /^(?:\/usr)?\/lib(?:64)?(?:\/[a-z0-9_]+-linux-gnu)?\/(?:libc\.so\.6|ld-musl-[a-z0-9_]+\.so\.1)$/;

export const isLibc = (path: string): boolean => libc.test(path);

/**
 * A program that probes the C library, for the one of this host. bpftrace finds `libc` by the cache
 * of the dynamic linker, which small images do not have.
 */
export function retargetLibc(shipped: string, path: string): string {
  if (!isLibc(path)) throw new Refused('unknown C library');
  return shipped.replaceAll('probe:libc:', `probe:${path}:`);
}
