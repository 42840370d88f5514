#!/bin/sh
# Runs until SIGINT and then prints what it has, as bpftrace and perf do.
trap 'echo summary; exit 0' INT
echo ready
while :; do sleep 0.05; done
