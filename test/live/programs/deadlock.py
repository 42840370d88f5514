# Two threads wait for each other for ever, and the first one for both.
import threading

first, second = threading.Lock(), threading.Lock()
barrier = threading.Barrier(2)


def work(mine, other):
    with mine:
        barrier.wait()
        with other:
            pass


threads = [
    threading.Thread(target=work, args=each, daemon=True)
    for each in ((first, second), (second, first))
]
for thread in threads:
    thread.start()
print("ready", flush=True)
for thread in threads:
    thread.join()
