import time
import tracemalloc


class Session:
    registry = []

    def __init__(self):
        self.data = [None] * 8000
        Session.registry.append(self)


end = time.monotonic() + (2.5 if tracemalloc.is_tracing() else 0.6)
while time.monotonic() < end:
    Session()
    time.sleep(0.005)
