// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves all to the kernel, and asks for half of what a CPU can do for each task that begins to run.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define HALF 512

SEC("struct_ops/cpuperf_running")
void BPF_PROG(cpuperf_running, struct task_struct *p)
{
	scx_bpf_cpuperf_set(scx_bpf_task_cpu(p), HALF);
}

SEC(".struct_ops.link")
struct sched_ext_ops cpuperf_ops = {
	.running = (void *)cpuperf_running,
	.timeout_ms = 5000,
	.name = "lab_cpuperf",
};
