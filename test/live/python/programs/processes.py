import multiprocessing


def spin(n):
    total = 0
    for i in range(n):
        total += i % 3
    return total


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(spin, [5_000_000, 5_000_000])
