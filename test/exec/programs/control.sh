#!/bin/sh
# Takes orders on descriptor 3 and acknowledges them on 4, as perf does with --control fd:3,4.
while read -r order <&3; do
  echo "ack $order" >&4
  if [ "$order" = stop ]; then exit 0; fi
done
