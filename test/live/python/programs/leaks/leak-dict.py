import time

seen = {}
end = time.monotonic() + 2.5
number = 0
while time.monotonic() < end:
    for _ in range(200):
        number += 1
        seen[number] = str(number) * 20
    time.sleep(0.005)
