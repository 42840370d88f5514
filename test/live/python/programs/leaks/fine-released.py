import time
import tracemalloc


def build():
    rows = []
    for _ in range(100):
        rows.append(bytearray(100_000))
        time.sleep(0.005)
    return len(rows)


build()
end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    sum(range(1000))
    time.sleep(0.005)
