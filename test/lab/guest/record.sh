#!/bin/bash
# Records what a sched_ext kernel and its tools print, as fixtures: the counters, the tree of /sys,
# bpftool and perf while the fifo scheduler runs, the dispatch queues of both schedulers and what
# holds one, then what an ejection leaves behind.
#
#   npm run lab -- --script test/lab/guest/record.sh --results /tmp/recorded
#
# Leaves /tmp/recorded/fixtures/<format>/<case> and hosts/<case>. Read them before committing.
set -e
kernel=$(uname -r | grep -oE '^[0-9]+\.[0-9]+')
mkdir -p /results/fixtures /tmp/build
cp /lab/record.sh /lab/record-tree.sh /results/fixtures
record=/results/fixtures/record.sh
cd /tmp/build

bpftool btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h
grep -q ' scx_bpf_create_dsq(' vmlinux.h || queues=-DNO_QUEUES
# Half of the CPUs each, as if there were two caches.
llcs="-DLLCS=2 -DLLC_OF_CPU=0,1"
for name in fifo failing vtime-llc; do
  clang -w -O2 -g --target=bpf -D__TARGET_ARCH_x86 -I. $queues $llcs \
    -c /lab/schedulers/$name.bpf.c -o $name.o || [ $name = vtime-llc ]
done

bpftool struct_ops register fifo.o /sys/fs/bpf/lab
$record scx-events loaded -- cat /sys/kernel/sched_ext/root/events
$record scx-ops fifo -- cat /sys/kernel/sched_ext/root/ops
sysctl -q kernel.bpf_stats_enabled=1
perf bench sched pipe -l 100000000 >/dev/null &
load=$!
sleep 2
$record scx-events pipe-load -- cat /sys/kernel/sched_ext/root/events
$record perf-stat switches -- perf stat -a -A -j --log-fd 1 -e context-switches,cpu-migrations --timeout 500
$record bpftool-prog fifo-scheduler -- bpftool -j prog show
$record bpftool-link fifo-scheduler -- bpftool -j link show
$record bpftool-struct-ops fifo-scheduler -- bpftool -j struct_ops show
$record bpftool-struct-ops-dump fifo-scheduler -- bpftool -j struct_ops dump
$record pid-sched sched-ext -- cat /proc/$load/sched
$record schedstat fifo-scheduler -- cat /proc/schedstat
kill $load

host=$(/results/fixtures/record-tree.sh "lab-$(nproc)cpu")
find /sys/kernel/sched_ext -type f | while read -r file; do
  mkdir -p "/results/$host${file%/*}"
  cat "$file" >"/results/$host$file"
done
echo 'also: /sys/kernel/sched_ext while the fifo scheduler of test/lab ran' \
  >>"/results/$host/provenance.txt"
rm /sys/fs/bpf/lab/*

until [ "$(cat /sys/kernel/sched_ext/state)" = disabled ]; do sleep 0.1; done

# As for a person: the shipped programs with the tool's own output. After 7.2 dispatch_enqueue is
# reached otherwise (allowlist/dsq-program.ts).
programs=/usr/local/lib/node_modules/tracewright/scripts/bpftrace
for name in fifo vtime-llc; do
  [ -f $name.o ] || continue
  python3 /lab/schedulers/hold.py $name.o &
  holder=$!
  until [ "$(cat /sys/kernel/sched_ext/state)" = enabled ]; do sleep 0.1; done
  stress-ng --cpu 3 --cpu-load 60 --quiet &
  load=$!
  $record task-ext $name-2cpu -- bpftrace $programs/task-ext.bt 0
  recorded=/results/fixtures/dsq/$name-2cpu
  (until grep -qs '"@intervals": 5' $recorded*/input.txt; do sleep 1; done; pkill -INT -x bpftrace) &
  $record dsq $name-2cpu -- bpftrace -f json -B line $programs/dsq.bt 1000
  if [ $name = fifo ]; then
    for fd in /proc/$holder/fd/*; do
      case $(readlink $fd) in
        anon_inode:bpf_link) kind=link-struct-ops ;;
        anon_inode:bpf-map) kind=map-struct-ops ;;
        *) continue ;;
      esac
      $record bpf-fdinfo $kind -- cat /proc/$holder/fdinfo/${fd##*/}
    done
  fi
  kill $load $holder
  until [ "$(cat /sys/kernel/sched_ext/state)" = disabled ]; do sleep 0.1; done
done

# The trace holds the dump of the ejected scheduler, the log the reason.
echo 1 >/sys/kernel/tracing/events/sched_ext/enable
dmesg --clear
bpftool struct_ops register failing.o /sys/fs/bpf/lab
python3 -c 'import os, time; os.sched_setscheduler(0, 7, os.sched_param(0)); time.sleep(0.05)'
$record sched-ext-trace stalled -- cat /sys/kernel/tracing/trace
$record sched-ext-log stalled -- dmesg --raw
rm /results/fixtures/record*.sh
