import time
import tracemalloc

end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    text = ",".join(str(i) for i in range(20_000))
    time.sleep(0.002)
