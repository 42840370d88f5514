import type { ProcessEvent } from '../exec-events/exec-events.ts';

/**
 * What `execsnoop -t -U -x` of libbpf-tools and BCC prints; checked with 0.26.
 *
 *     TIME(s)  UID    PCOMM            PID    PPID   RET ARGS
 *     0.572   0     bash             9086   9080    -2 /tmp/nonexistent-prog a
 *
 * Arguments are joined by blanks, the first is the file name. A name or an argument with a newline
 * makes several lines: one that is no row is left out, and one that looks like a row is taken for one.
 * TIME counts from the start of the tracer.
 */
export function parseExecsnoopTable(text: string): readonly ProcessEvent[] {
  return text.split('\n').flatMap((line): ProcessEvent[] => {
    const row =
      /^(\d{1,15}\.\d{1,15})\s+(\d{1,20})\s+(\S+(?:\s+\S+)*?)\s+(\d{1,20})\s+(\d{1,20})\s+(-?\d{1,20}) (.*)$/.exec(
        line,
      );
    if (row === null) return [];
    const [, time, uid, comm = '', pid, ppid, result, words = ''] = row;
    const [filename = '', ...rest] = words.split(' ').filter((word) => word !== '');
    const common = {
      at_ns: Number(time) * 1e9,
      pid: Number(pid),
      ppid: Number(ppid),
      uid: Number(uid),
      comm,
      filename: filename === '' ? null : filename,
    };
    if (Number(result) < 0) return [{ kind: 'failed_exec', ...common, errno: -Number(result) }];
    const args_cut = rest.at(-1) === '...';
    const args = [filename, ...(args_cut ? rest.slice(0, -1) : rest)];
    return [{ kind: 'exec', ...common, args, args_cut }];
  });
}
