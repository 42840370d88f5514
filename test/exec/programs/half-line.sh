#!/bin/sh
# Dies in the middle of a line.
printf 'whole line\nhalf a li'
