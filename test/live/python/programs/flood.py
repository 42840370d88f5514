import time

end = time.monotonic() + 1.5
line = "x" * 1000
while time.monotonic() < end:
    for _ in range(1000):
        print(line)
