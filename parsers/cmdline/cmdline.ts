/**
 * /proc/PID/cmdline (fs/proc/base.c, get_mm_cmdline; proc(5)): the arguments, each ended by NUL.
 *
 *     /usr/sbin/sshd\0-D\0
 *     nginx: worker process\0\0\0\0
 *
 * Empty for kernel threads and zombies: no arguments. A process that overwrote its title leaves one
 * argument with spaces, padded with NULs. As the process wrote it: pass it through `untrusted()`
 * before it is shown.
 */
export function parseCmdline(text: string): readonly string[] {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return end === 0 ? [] : text.slice(0, end).split('\0');
}
