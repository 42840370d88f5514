import collections
import time
import tracemalloc

ring = collections.deque(maxlen=40)
end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    ring.append(bytearray(200_000))
    time.sleep(0.01)
