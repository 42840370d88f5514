#!/usr/bin/env bash
# Both lines of Scalene, each in a virtual environment of the system's Python, for the tests beside
# this file. Kept between runs; as root where an ordinary user can run them.
set -euo pipefail

if [ "$(id -u)" -eq 0 ]; then home=/var/cache/tracewright-scalene; else home=${XDG_CACHE_HOME:-$HOME/.cache}/tracewright-scalene; fi
python=/usr/bin/python3
mkdir -p "$home"
for version in 1.5.51 2.3.0; do
  venv=$home/$version
  if ! "$venv/bin/python" -c 'import scalene, numpy' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # --only-binary: hosts without a compiler.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary "scalene==$version" numpy
  fi
  echo "$venv/bin/python"
done
