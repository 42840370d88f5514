import time
import tracemalloc

kept = []
end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    kept.append(bytearray(100_000))
    time.sleep(0.01)
