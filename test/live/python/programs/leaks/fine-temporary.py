import time

end = time.monotonic() + 2.5
while time.monotonic() < end:
    text = ",".join(str(i) for i in range(20_000))
    time.sleep(0.002)
