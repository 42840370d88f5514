#!/bin/sh
# A child and a grandchild that outlive their parents if nobody ends the group. Prints their pids.
# In the background of a script both ignore SIGINT.
sleep 300 &
echo "$!"
sh -c 'sleep 300 & echo "$!"; wait' &
echo "$!"
wait
