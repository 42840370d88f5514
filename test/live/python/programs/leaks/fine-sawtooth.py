import time
import tracemalloc

end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    batch = []
    for _ in range(60):
        batch.append(bytearray(100_000))
        time.sleep(0.005)
    del batch
