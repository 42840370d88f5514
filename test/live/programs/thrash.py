# Touches random pages of a mapped file: in a cgroup that cannot hold it, most are gone from memory.
import mmap
import random
import sys

with open(sys.argv[1], "rb") as file:
    pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
count = len(pages) // 4096
while True:
    pages[random.randrange(count) * 4096]
