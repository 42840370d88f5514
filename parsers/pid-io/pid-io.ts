/** What a process caused of disk traffic since it started. */
export type PidIo = Readonly<{ read_bytes: number; write_bytes: number }>;

/**
 * `/proc/PID/io` (fs/proc/base.c, do_io_accounting; needs CONFIG_TASK_IO_ACCOUNTING), bytes that
 * really went to or came from a disk. Null where a line is missing.
 *
 *     read_bytes: 4096
 *     write_bytes: 0
 */
export function parsePidIo(text: string): PidIo | null {
  const read = /^read_bytes: (\d{1,20})$/m.exec(text)?.[1];
  const written = /^write_bytes: (\d{1,20})$/m.exec(text)?.[1];
  if (read === undefined || written === undefined) return null;
  return { read_bytes: Number(read), write_bytes: Number(written) };
}
