# A Pool ends its workers with SIGTERM, on which Scalene itself hangs now and then.
import multiprocessing


def spin(n):
    total = 0
    for i in range(n):
        total += i % 3
    return total


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=spin, args=(8_000_000,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
