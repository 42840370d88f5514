# As long as it says by the clock, however busy the machine is, and as large as it says.
import sys
import time

seconds = float(sys.argv[1])
megabytes = int(sys.argv[2])
end = time.monotonic() + seconds
held = [bytearray(1 << 20) for _ in range(megabytes)]
while time.monotonic() < end:
    sum(range(2000))
