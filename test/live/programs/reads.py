# Once a line comes in: reads a file in pieces of its second argument, past the page cache if the
# third is "direct", or after the file was dropped from it if "cold", or as it is if "hot".
import mmap
import os
import sys
import time

path, size, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
fd = os.open(path, os.O_RDONLY | (os.O_DIRECT if kind == "direct" else 0))
if kind == "cold":
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
if kind == "hot":
    while os.read(fd, 1 << 20):
        pass
    os.lseek(fd, 0, os.SEEK_SET)
# O_DIRECT wants memory that begins with a page.
piece = mmap.mmap(-1, size)
print("ready", flush=True)
sys.stdin.readline()
begun = time.monotonic()
while os.readv(fd, [piece]) == size:
    pass
print(f"took {time.monotonic() - begun}", flush=True)
time.sleep(120)
