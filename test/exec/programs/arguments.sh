#!/bin/sh
# One argument per line, as received.
printf '<%s>\n' "$@"
