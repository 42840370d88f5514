import time

handlers = []


def subscribe():
    payload = "x" * 50_000 + str(len(handlers))
    handlers.append(lambda: payload)


end = time.monotonic() + 2.5
while time.monotonic() < end:
    subscribe()
    time.sleep(0.005)
