import sys


def spell(words):
    total = 0
    for i in range(4_000_000):
        total += i % len(words)
    return total


spell(sys.argv[1:])
print(sys.argv[1:])
