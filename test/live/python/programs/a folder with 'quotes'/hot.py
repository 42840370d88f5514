import sys


def hot(n):
    total = 0
    for i in range(n):
        total += i % 7
    return total


def cold(n):
    total = 0
    for i in range(n):
        total += i
    return total


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for _ in range(rounds):
        hot(400_000)
        cold(40_000)
