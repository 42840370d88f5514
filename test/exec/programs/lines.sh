#!/bin/sh
# Prints each order that comes on descriptor 3.
while read -r order <&3; do
  echo "$order"
  if [ "$order" = stop ]; then exit 0; fi
done
