// SPDX-License-Identifier: GPL-2.0
/*
 * One queue per last-level cache, ordered by virtual run time: the task that ran least, weighed by
 * its share, goes first. A CPU takes from the queue of its own cache, then from the others.
 *
 * -DLLC_OF_CPU=0,0,1,1 says to which cache each CPU belongs, -DLLCS=2 how many there are.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define CPUS 64
#define SLICE_NS 5000000ULL
/* Queue ids: 100 for cache 0, 101 for cache 1, ... */
#define FIRST_QUEUE 100ULL

const volatile u32 llc_of_cpu[CPUS] = { LLC_OF_CPU };

/* The virtual time of the task that started last: nobody may save up more than a slice before it. */
static u64 vtime_now;

static u64 queue_of(s32 cpu)
{
	return FIRST_QUEUE + llc_of_cpu[cpu & (CPUS - 1)];
}

SEC("struct_ops.s/vtime_init")
s32 BPF_PROG(vtime_init)
{
	s32 llc, failed;

	bpf_for(llc, 0, LLCS) {
		failed = scx_bpf_create_dsq(FIRST_QUEUE + llc, -1);
		if (failed)
			return failed;
	}
	return 0;
}

SEC("struct_ops/vtime_enable")
void BPF_PROG(vtime_enable, struct task_struct *p)
{
	p->scx.dsq_vtime = vtime_now;
}

SEC("struct_ops/vtime_enqueue")
void BPF_PROG(vtime_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 earliest = vtime_now - SLICE_NS;
	u64 vtime = p->scx.dsq_vtime;

	if ((s64)(vtime - earliest) < 0)
		vtime = earliest;
	scx_bpf_dsq_insert_vtime(p, queue_of(scx_bpf_task_cpu(p)), SLICE_NS, vtime, enq_flags);
}

SEC("struct_ops/vtime_dispatch")
void BPF_PROG(vtime_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 llc;

	if (scx_bpf_dsq_move_to_local(queue_of(cpu)))
		return;
	bpf_for(llc, 0, LLCS)
		if (scx_bpf_dsq_move_to_local(FIRST_QUEUE + llc))
			return;
}

SEC("struct_ops/vtime_running")
void BPF_PROG(vtime_running, struct task_struct *p)
{
	if ((s64)(p->scx.dsq_vtime - vtime_now) > 0)
		vtime_now = p->scx.dsq_vtime;
}

SEC("struct_ops/vtime_stopping")
void BPF_PROG(vtime_stopping, struct task_struct *p, bool runnable)
{
	u64 ran = SLICE_NS > p->scx.slice ? SLICE_NS - p->scx.slice : 0;

	p->scx.dsq_vtime += ran * 100 / p->scx.weight;
}

SEC(".struct_ops.link")
struct sched_ext_ops vtime_ops = {
	.init = (void *)vtime_init,
	.enable = (void *)vtime_enable,
	.enqueue = (void *)vtime_enqueue,
	.dispatch = (void *)vtime_dispatch,
	.running = (void *)vtime_running,
	.stopping = (void *)vtime_stopping,
	/* Beside a load a task of the lowest weight waits for its turn: an emulated slice of it counts a second. */
	.timeout_ms = 20000,
	.name = "lab_vtime_llc",
};
