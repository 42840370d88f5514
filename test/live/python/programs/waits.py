import time


def work(n):
    total = 0
    for i in range(n):
        total += i % 5
    return total


work(12_000_000)
time.sleep(1.2)
