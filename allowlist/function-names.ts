/** A name of a kernel function, as the kernel itself writes them: `tcp_sendmsg`, `foo.isra.0`. */
export const function_name = /^[A-Za-z_][A-Za-z0-9_.]{0,127}$/;

type Rule = Readonly<{ names: RegExp; reason: string }>;

/** Called so often, or at such a moment, that a probe there hurts the host. */
const refused: readonly Rule[] = [
  {
    names:
      /^_*(?:raw_(?:spin|read|write)_|(?:native_|pv_)?queued_|lock_(?:acquire|release)|lockdep_)/,
    reason: 'takes or gives back a lock, millions of times a second and in tracers too',
  },
  {
    names: /^_*(?:rcu_|srcu_read_|preempt_|migrate_(?:dis|en)able|local_bh_)/,
    reason: 'is part of how probes are run, so that a probe there would run itself',
  },
  {
    names: /(?:^|_)nmi(?:_|$)|^(?:do_)?mce_|machine_check/,
    reason: 'runs in interrupts that cannot be held off',
  },
  {
    names:
      /^(?:asm_|exc_|do_int3|int3_|entry_|irqentry_|syscall_(?:enter|exit)_|sysvec_|common_interrupt|irq_(?:enter|exit))/,
    reason: 'is on the way into or out of the kernel',
  },
  {
    names:
      /^_*(?:bpf_|ftrace_|trace_|tracing_|arch_ftrace|(?:arch_|opt)?k(?:ret)?probe|uprobe|fprobe|rethook|perf_|ring_buffer_|rb_|htab_|array_map_|percpu_array_|pcpu_freelist_|stack_map_|(?:smp_)?text_poke|get_perf_callchain)/,
    reason: 'is part of tracing itself',
  },
  {
    names:
      /^_*(?:ktime_get|sched_clock|local_clock|native_sched_clock|read_tsc|timekeeping_get|pvclock|kvm_clock)/,
    reason: 'reads the clock, as every probe does',
  },
  {
    names: /^_*(?:unwind_|stack_trace_|arch_stack_walk|orc_|kernel_text_address)/,
    reason: 'walks stacks, as probes do',
  },
  {
    names:
      /^_*(?:mem(?:cpy|set|move|cmp)|str(?:n?len|n?cmp|s?cpy)|copy_(?:from|to|mc|page|user)|clear_(?:page|user))/,
    reason: 'is called by almost every other function',
  },
];

/** Without a return there is nothing to measure, and a probe that waits for it is never freed. */
const neverReturns =
  /^(?:do_(?:exit|group_exit|task_dead)|make_task_dead|__(?:x64|arm64|ia32|se)_sys_exit(?:_group)?|(?:__)?module_put_and_kthread_exit|kthread_(?:complete_and_)?exit|rewind_stack_and_make_dead|cpu_startup_entry|panic|nmi_panic|start_secondary|stop_this_cpu|x86_64_start_kernel)$/;

/** Why no probe is put on this function, as "NAME <reason>"; null where one may be. */
export function refusedFunction(name: string, withReturn: boolean): string | null {
  const rule = refused.find(({ names }) => names.test(name));
  if (rule) return rule.reason;
  return withReturn && neverReturns.test(name) ? 'does not return' : null;
}
