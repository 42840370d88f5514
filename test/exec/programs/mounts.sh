#!/bin/sh
# Mounts a file system for itself, as perf does with tracefs.
mount -t tmpfs tracewright-test /mnt && grep -c tracewright-test /proc/self/mounts
