import time
import tracemalloc

table = [str(i) for i in range(300_000)]
end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    sum(range(1000))
    time.sleep(0.005)
