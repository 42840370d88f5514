import threading
import time
import tracemalloc

queue = []


def produce(end):
    while time.monotonic() < end:
        queue.append(b"y" * 60_000 + str(len(queue)).encode())
        time.sleep(0.005)


worker = threading.Thread(target=produce, args=(time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6),))
worker.start()
worker.join()
