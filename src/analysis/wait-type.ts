export type WaitType =
  | 'lock'
  | 'disk_io'
  | 'memory'
  | 'network'
  | 'unix_socket'
  | 'pipe'
  | 'poll'
  | 'sleep'
  | 'child'
  | 'signal'
  | 'terminal'
  | 'file_system'
  | 'cpu_quota'
  | 'kernel_thread'
  | 'other';

/** What a thread waits for, and the function that says so. */
export type Wait = Readonly<{ type: WaitType; function: string }>;

/** How every wait begins: these frames say nothing of what for. */
const generic =
  /^(?:__schedule|schedule|schedule_timeout|schedule_timeout_\w+|schedule_preempt_disabled|schedule_hrtimeout_range(?:_clock)?|preempt_schedule\w*|__?cond_resched|wait_for_completion\w*|__wait_for_common|wait_woken|__wait_event\w*|prepare_to_wait\w*|do_wait_intr\w*|bpf_\w+|__bpf_\w+|__traceiter_\w+|\[unknown\]|0x[0-9a-f]+)$/;

/** Names of the kernel's functions from 4.18 to 6.19; the first frame that one of them fits decides. */
const kinds: readonly (readonly [WaitType, RegExp])[] = [
  ['cpu_quota', /throttle_cfs_rq|task_throttle/],
  ['memory', /reclaim|mem_cgroup_handle_over_high|swap_(?:read|cache)|do_swap_page|oom_/],
  ['sleep', /nanosleep|msleep|usleep_range/],
  [
    'lock',
    /futex|mutex_lock|rwsem_down|^down_|__down|rt_mutex|rt_spin|percpu_rwsem|rwbase|lock_page/,
  ],
  [
    'disk_io',
    /^(?:io_schedule|bit_wait_io|folio_wait|wait_on_(?:page|buffer|bit)|__wait_on_buffer|blk_|submit_bio_wait|rq_qos_wait|wbt_|jbd2_|balance_dirty|filemap_|truncate_|sync_inode|writeback_|wb_wait|dm_|md_|nvme_|scsi_|io_wq_|do_blockdev)/,
  ],
  ['file_system', /^(?:fuse_|__fuse|request_wait_answer|nfs_|rpc_|cifs_|ceph_|p9_|autofs)/],
  ['unix_socket', /^(?:unix_|__unix)/],
  [
    'network',
    /^(?:tcp_|inet_|inet6_|udp|sk_|__sk|sock_|skb_|__skb|netlink_|packet_|vsock_|virtio_transport|wait_for_connect|inet_csk)/,
  ],
  ['pipe', /^(?:anon_)?pipe_|^fifo_open|wait_for_partner/],
  [
    'poll',
    /^(?:ep_|do_epoll|do_poll|do_sys_poll|poll_|do_select|core_sys_select|do_pselect|io_cqring_wait|io_uring|read_events|do_io_getevents|eventfd_|signalfd_|timerfd_|inotify_|fanotify_|evdev_)/,
  ],
  ['child', /^(?:do_wait|__do_wait|kernel_wait|kernel_waitid)/],
  ['signal', /sigtimedwait|sigsuspend|^(?:__x64_|__arm64_)?sys_pause|do_signal_stop|ptrace_stop/],
  ['terminal', /^(?:n_tty|tty_|con_|hvc_)/],
  ['kernel_thread', /^(?:kthread|worker_thread|rescuer_thread|smpboot_thread_fn|ret_from_fork)/],
];

/**
 * Reads off a stack, innermost frame first, what its thread waits for. Of `futex_wait` it cannot tell
 * a mutex from a condition variable, both are locks here.
 */
export function waitOf(frames: readonly string[]): Wait {
  const telling = frames.filter((frame) => !generic.test(frame));
  const name = telling.find((frame) => !frame.startsWith('io_schedule')) ?? frames[0] ?? 'unknown';
  for (const frame of telling) {
    const kind = kinds.find(([, pattern]) => pattern.test(frame));
    if (kind) return { type: kind[0], function: name };
  }
  return { type: 'other', function: name };
}
