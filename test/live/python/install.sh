#!/usr/bin/env bash
# Both lines of Scalene, each in a virtual environment of the system's Python, for the tests beside
# this file. Kept between runs; as root where an ordinary user can run them.
# usage: install.sh [FOLDER]   (the tests look elsewhere with TRACEWRIGHT_SCALENE_HOME=FOLDER)
set -euo pipefail

if [ "$(id -u)" -eq 0 ]; then cache=/var/cache; else cache=${XDG_CACHE_HOME:-$HOME/.cache}; fi
home=${1:-${TRACEWRIGHT_SCALENE_HOME:-$cache/tracewright-scalene}}
python=/usr/bin/python3
mkdir -p "$home"
for version in 1.5.51 2.3.0; do
  venv=$home/$version
  if ! "$venv/bin/python" -c 'import scalene, numpy' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # Wheels where there are any: hosts without a compiler.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary "scalene==$version" numpy
  fi
  # They take the stacks of programs that run already. Later Austins need a later C library.
  if [ ! -x "$venv/bin/py-spy" ] || [ ! -x "$venv/bin/austin" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: py-spy austin-dist==3.7.0
  fi
  echo "$venv/bin/python"
done
