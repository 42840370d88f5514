"""Which lines hold memory that keeps growing while a program runs.

usage:  python3 tracemalloc-probe.py OUT INTERVAL_S --- script.py [args...]
        python3 tracemalloc-probe.py OUT INTERVAL_S --- -m module [args...]
writes: OUT, JSON: {"interval_s", "elapsed_s", "overhead_s", "exit",
        "lines": [{"file", "line", "bytes": [live bytes at each snapshot]}]}
needs:  the standard library of Python 3.8 or newer
cost:   tracemalloc itself, and a snapshot each interval; the program runs 1.2 to 10 times as long
"""
import json
import os
import runpy
import signal
import sys
import threading
import time
import tracemalloc

MOST_LINES = 60


def main():
    out, interval_s, separator, *words = sys.argv[1:]
    assert separator == "---" and words
    interval_s = float(interval_s)
    series = {}
    count = 0
    overhead_s = 0.0
    lock = threading.Lock()
    ended = threading.Event()

    def snapshot():
        nonlocal count, overhead_s
        began = time.monotonic()
        lines = tracemalloc.take_snapshot().statistics("lineno")
        with lock:
            for stat in lines[:MOST_LINES]:
                frame = stat.traceback[0]
                if frame.filename == __file__:
                    continue
                held = series.setdefault((frame.filename, frame.lineno), [])
                held.extend([0] * (count - len(held)))
                held.append(stat.size)
            count += 1
        overhead_s += time.monotonic() - began

    def watch():
        # A snapshot takes the longer the more there is: never more than half of the time.
        pause = interval_s
        while not ended.wait(pause):
            began = time.monotonic()
            snapshot()
            pause = max(interval_s, time.monotonic() - began)

    def write(exit_reason):
        with lock:
            lines = [
                {"file": file, "line": line, "bytes": held + [0] * (count - len(held))}
                for (file, line), held in series.items()
            ]
            report = {
                "interval_s": interval_s,
                "elapsed_s": time.monotonic() - started,
                "overhead_s": overhead_s,
                "exit": exit_reason,
                "lines": lines,
            }
        part = out + ".part"
        with open(part, "w", encoding="utf-8") as file:
            json.dump(report, file)
        os.replace(part, out)

    def interrupted(_number, _frame):
        write("interrupted")
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)
    started = time.monotonic()
    tracemalloc.start()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    reason = "completed"
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as leaving:
        reason = "exit " + str(leaving.code)
    except BaseException as error:
        reason = type(error).__name__
        raise
    finally:
        ended.set()
        write(reason)


main()
