#!/bin/sh
# Prints whether it sees trace events, and in which mount namespace it runs.
[ -d /sys/kernel/tracing/events/sched ] && echo events || echo none
readlink /proc/self/ns/mnt
