#!/usr/bin/env bash
# The published definitions of Perfetto's traces, generated for Python, in a virtual environment of the
# system's Python. Kept between runs. Perfetto's own reader is not in the package: it would be
# downloaded when it is first used.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/tracewright-perfetto
python=/usr/bin/python3
if ! "$home/bin/python" -c 'from perfetto.protos.perfetto.trace import perfetto_trace_pb2' 2>/dev/null; then
  rm -rf "$home"
  "$python" -m venv "$home"
  "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps perfetto==0.59.1 protobuf==7.36.2
fi
echo "$home/bin/python"
