"""Two processes that wake each other up through pipes, 200 times a second, until they are ended.

Prints the ids of both.
"""

import os
import time

there, back = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    # With these open it would not see the end of the other, and stay.
    os.close(there[1])
    os.close(back[0])
    with open("/proc/self/comm", "w") as comm:
        comm.write("pong")
    while os.read(there[0], 1):
        os.write(back[1], b"x")
    os._exit(0)
with open("/proc/self/comm", "w") as comm:
    comm.write("ping")
print(os.getpid(), child, flush=True)
while True:
    os.write(there[1], b"x")
    os.read(back[0], 1)
    time.sleep(0.005)
