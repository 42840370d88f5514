import time

kept = []
end = time.monotonic() + 2.5
while time.monotonic() < end:
    kept.append(bytearray(100_000))
    time.sleep(0.01)
