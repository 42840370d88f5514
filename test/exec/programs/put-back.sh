#!/bin/sh
# Changes something of the host and puts it back on SIGTERM.
trap 'echo "put back"; exit 0' TERM
echo set
while :; do sleep 0.05; done
