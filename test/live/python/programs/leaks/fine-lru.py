import functools
import time
import tracemalloc


@functools.lru_cache(maxsize=50)
def render(number):
    return "z" * 100_000 + str(number)


end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
number = 0
while time.monotonic() < end:
    number += 1
    render(number)
    time.sleep(0.005)
