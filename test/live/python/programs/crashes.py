import ctypes

x = sum(range(5_000_000))
ctypes.string_at(0)
