import functools
import sys


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


if sys.argv[1:] == ["remembering"]:
    fibonacci = functools.lru_cache(None)(fibonacci)
for _ in range(5):
    fibonacci(28)
end = sum(i % 3 for i in range(2_000_000))
