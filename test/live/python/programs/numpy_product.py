import numpy

left = numpy.random.rand(500, 500)


def multiply(rounds):
    for _ in range(rounds):
        product = left @ left
    return product


multiply(300)
