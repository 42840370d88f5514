#!/bin/sh
# 64 KiB on stderr, 1 MiB on stdout.
head -c 65536 /dev/zero | tr '\0' e >&2
head -c 1048576 /dev/zero | tr '\0' o
