# Like programs that do not bear the allocator which Scalene puts under them.
import os
import signal


def work(n):
    total = 0
    for i in range(n):
        total += i % 5
    return total


if "scalene" in os.environ.get("LD_PRELOAD", ""):
    os.kill(os.getpid(), signal.SIGSEGV)
work(6_000_000)
