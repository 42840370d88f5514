import threading


def spin(n):
    total = 0
    for i in range(n):
        total += i % 3
    return total


workers = [threading.Thread(target=spin, args=(20_000_000,)) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
