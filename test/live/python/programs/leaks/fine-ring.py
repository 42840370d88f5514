import collections
import time

ring = collections.deque(maxlen=40)
end = time.monotonic() + 2.5
while time.monotonic() < end:
    ring.append(bytearray(200_000))
    time.sleep(0.01)
