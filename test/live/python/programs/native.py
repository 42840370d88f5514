import numpy


def multiply(rounds):
    a = numpy.ones((400, 400))
    b = a
    for _ in range(rounds):
        b = a @ a
    return b


multiply(1500)
