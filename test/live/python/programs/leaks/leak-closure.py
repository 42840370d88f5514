import time
import tracemalloc

handlers = []


def subscribe():
    payload = "x" * 50_000 + str(len(handlers))
    handlers.append(lambda: payload)


end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    subscribe()
    time.sleep(0.005)
