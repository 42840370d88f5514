// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that the kernel ejects. It takes only tasks of policy SCHED_EXT, so that the rest of
 * the system goes on: it stays loaded until the first such task comes, then loses it.
 *
 * The task is never dispatched, and after a second the kernel's watchdog finds it stalled.
 * ERROR: the scheduler says itself that it failed.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/failing_enqueue")
void BPF_PROG(failing_enqueue, struct task_struct *p, u64 enq_flags)
{
#ifdef ERROR
	static char format[] = "lab: refuses pid %d";
	unsigned long long arguments[] = { p->pid };

	scx_bpf_error_bstr(format, arguments, sizeof(arguments));
#endif
}

/* Without it the kernel would put a woken task on an idle CPU past enqueue. */
SEC("struct_ops/failing_select_cpu")
s32 BPF_PROG(failing_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC(".struct_ops.link")
struct sched_ext_ops failing_ops = {
	.select_cpu = (void *)failing_select_cpu,
	.enqueue = (void *)failing_enqueue,
	.flags = SCX_OPS_SWITCH_PARTIAL,
	.timeout_ms = 1000,
	.name = "lab_failing",
};
