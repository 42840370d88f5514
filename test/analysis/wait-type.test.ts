import { expect, test } from 'vitest';
import { waitOf } from '../../src/analysis/wait-type.ts';

/** Stacks of Linux 6.18 and older kernels, innermost first, without the scheduler's first frames. */
const stacks = {
  'futex_do_wait __futex_wait futex_wait do_futex __x64_sys_futex': 'lock',
  'futex_wait_queue_me futex_wait do_futex': 'lock',
  '__mutex_lock.constprop.0 pipe_write vfs_write': 'lock',
  'rwsem_down_write_slowpath down_write_killable do_mmap': 'lock',
  'do_nanosleep hrtimer_nanosleep common_nsleep_timens': 'sleep',
  'io_schedule folio_wait_bit_common filemap_get_pages': 'disk_io',
  'io_schedule bit_wait_io __wait_on_bit ext4_read_bh': 'disk_io',
  'jbd2_log_wait_commit ext4_sync_file do_fsync': 'disk_io',
  'schedule_hrtimeout_range_clock ep_poll do_epoll_wait': 'poll',
  'schedule_hrtimeout_range_clock do_epoll_wait do_epoll_pwait.part.0': 'poll',
  'schedule_hrtimeout_range poll_schedule_timeout.constprop.0 do_sys_poll': 'poll',
  'anon_pipe_read vfs_read ksys_read': 'pipe',
  'pipe_read new_sync_read vfs_read': 'pipe',
  'do_wait kernel_wait4 __do_sys_wait4': 'child',
  'schedule_timeout wait_woken sk_wait_data tcp_recvmsg_locked': 'network',
  'schedule_timeout inet_csk_accept inet_accept': 'network',
  'schedule_timeout __skb_wait_for_more_packets unix_dgram_recvmsg': 'network',
  'schedule_timeout unix_stream_read_generic unix_stream_recvmsg': 'unix_socket',
  'do_sigtimedwait.isra.0 __x64_sys_rt_sigtimedwait': 'signal',
  'schedule_timeout wait_woken n_tty_read tty_read': 'terminal',
  'worker_thread kthread ret_from_fork ret_from_fork_asm': 'kernel_thread',
  'request_wait_answer __fuse_simple_request fuse_lookup_name': 'file_system',
  'schedule_timeout throttle_direct_reclaim try_to_free_pages': 'memory',
  'schedule task_throttle_setup_work throttle_cfs_rq_work task_work_run': 'cpu_quota',
} as const;

test.each(Object.entries(stacks))('%s is a wait for %s', (frames, type) => {
  const wait = waitOf(['__schedule', 'schedule', ...frames.split(' ')]);
  expect(wait.type).toBe(type);
  expect(wait.function).not.toMatch(/^(?:__)?schedule|^io_schedule/);
});

test('a wait is named by its first telling function, not by the scheduler', () => {
  const frames = ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit_common', 'do_fault'];
  expect(waitOf(frames)).toEqual({ type: 'disk_io', function: 'folio_wait_bit_common' });
});

test('a stack that says nothing is other', () => {
  expect(waitOf([])).toEqual({ type: 'other', function: 'unknown' });
  expect(waitOf(['__schedule', 'schedule', 'my_driver_wait'])).toEqual({
    type: 'other',
    function: 'my_driver_wait',
  });
});
