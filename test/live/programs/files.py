# Once a line comes in: makes 30 files of a life of 20 ms each, opens a file that is there 25 times
# and one that is not 7 times. Then waits. Its argument is a folder.
import os
import sys
import time

folder = sys.argv[1]
print("ready", flush=True)
sys.stdin.readline()
for each in range(30):
    path = f"{folder}/short-{each}"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    time.sleep(0.02)
    os.unlink(path)
for _ in range(25):
    os.close(os.open("/etc/passwd", os.O_RDONLY))
for _ in range(7):
    try:
        os.open(f"{folder}/absent", os.O_RDONLY)
    except FileNotFoundError:
        pass
time.sleep(120)
