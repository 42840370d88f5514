import os
import sys


def work(n):
    total = 0
    for i in range(n):
        total += i % 5
    return total


work(6_000_000)
print("uid", os.getuid())
sys.exit(3)
