#!/bin/sh
# Ends at once and leaves a child behind that still holds its stdout.
sleep 300 &
echo "$!"
