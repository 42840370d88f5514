# Three threads take turns at one lock and sleep 20 ms with it, while the first thread sleeps.
import threading
import time

lock = threading.Lock()


def work():
    while True:
        with lock:
            time.sleep(0.02)
        time.sleep(0.0001)


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)
time.sleep(120)
