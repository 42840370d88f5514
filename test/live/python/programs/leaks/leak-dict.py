import time
import tracemalloc

seen = {}
end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
number = 0
while time.monotonic() < end:
    for _ in range(10):
        number += 1
        seen[number] = str(number) * 400
    time.sleep(0.005)
