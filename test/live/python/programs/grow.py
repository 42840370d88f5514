import time


def fill(megabytes):
    kept = []
    for _ in range(megabytes):
        kept.append(bytearray(1_000_000))
    return kept


held = fill(150)
end = time.monotonic() + 0.6
while time.monotonic() < end:
    sum(range(1000))
