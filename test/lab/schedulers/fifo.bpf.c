// SPDX-License-Identifier: GPL-2.0
/*
 * One FIFO queue, id 7, from which every CPU takes.
 *
 * NO_QUEUES: the BTF of Debian's 7.2 does not let a scheduler create a queue; the built-in global
 * one stands in for it there.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#ifdef NO_QUEUES
#define QUEUE SCX_DSQ_GLOBAL
#else
#define QUEUE 7
#endif

SEC("struct_ops.s/fifo_init")
s32 BPF_PROG(fifo_init)
{
#ifdef NO_QUEUES
	return 0;
#else
	return scx_bpf_create_dsq(QUEUE, -1);
#endif
}

SEC("struct_ops/fifo_enqueue")
void BPF_PROG(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops/fifo_dispatch")
void BPF_PROG(fifo_dispatch, s32 cpu, struct task_struct *prev)
{
	/* The kernel itself takes from the global queue. */
#ifndef NO_QUEUES
	scx_bpf_dsq_move_to_local(QUEUE);
#endif
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo_ops = {
	.init = (void *)fifo_init,
	.enqueue = (void *)fifo_enqueue,
	.dispatch = (void *)fifo_dispatch,
	.timeout_ms = 5000,
	.name = "lab_fifo_1.0.0_gabcdef0_x86_64_unknown_linux_gnu",
};
