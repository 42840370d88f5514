import random

numbers = [random.random() for _ in range(300_000)]


def arrange(rounds):
    for _ in range(rounds):
        numbers.sort(key=None)
        numbers.reverse()
        sorted(numbers[::3] + numbers[1::3] + numbers[2::3])


arrange(60)
