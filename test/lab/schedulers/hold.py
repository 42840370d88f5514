# Loads a scheduler and keeps it as long as this process lives, as schedulers of user space do:
# hold.py OBJECT
import ctypes
import signal
import sys

bpf = ctypes.CDLL("libbpf.so.1")
pointer = ctypes.c_void_p
for name in ("bpf_object__open_file", "bpf_object__next_map", "bpf_map__attach_struct_ops"):
    getattr(bpf, name).restype = pointer

STRUCT_OPS = 26  # BPF_MAP_TYPE_STRUCT_OPS

opened = pointer(bpf.bpf_object__open_file(sys.argv[1].encode(), None))
if bpf.bpf_object__load(opened) != 0:
    sys.exit("not loaded")
each = pointer(bpf.bpf_object__next_map(opened, None))
while each:
    if bpf.bpf_map__type(each) == STRUCT_OPS and not bpf.bpf_map__attach_struct_ops(each):
        sys.exit("not attached")
    each = pointer(bpf.bpf_object__next_map(opened, each))
signal.pause()
