import type { OffcputimeStack } from '../offcputime/offcputime.ts';

/**
 * What `offcputime -f` of BCC prints (tools/offcputime.py, 0.26): name, frames from the outermost on,
 * the program's before the kernel's, and microseconds.
 *
 *     python3;clock_nanosleep;entry_SYSCALL_64_after_hwframe;do_syscall_64;schedule;__schedule 745456
 *
 * A line without a sum is skipped.
 */
export function parseOffcputimeFolded(text: string): readonly OffcputimeStack[] {
  return text.split('\n').flatMap((line): OffcputimeStack[] => {
    const [, path = '', total] = /^(.+) (\d{1,20})$/.exec(line) ?? [];
    if (total === undefined) return [];
    const [comm = '', ...outermostFirst] = path.split(';');
    const frames = outermostFirst.filter((name) => name !== '-').reverse();
    return [{ comm, tid: null, frames, total_us: Number(total) }];
  });
}
