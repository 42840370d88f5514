#!/bin/sh
# A character of three bytes in three writes, twice.
for round in 1 2; do
  printf '\342'; sleep 0.1
  printf '\202'; sleep 0.1
  printf '\254'; sleep 0.1
done
