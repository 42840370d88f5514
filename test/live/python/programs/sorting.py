import random

numbers = [random.random() for _ in range(200_000)]


def arrange(rounds):
    for _ in range(rounds):
        sorted(numbers)


arrange(20)
