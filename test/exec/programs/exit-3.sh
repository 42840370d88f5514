#!/bin/sh
# A failure with something to say on both streams.
echo partial
echo 'cannot open counter' >&2
exit 3
