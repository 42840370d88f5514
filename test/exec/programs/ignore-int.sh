#!/bin/sh
# Does not listen: only SIGKILL ends it.
trap '' INT TERM
echo ready
while :; do sleep 0.05; done
