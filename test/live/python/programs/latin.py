# -*- coding: latin-1 -*-
# café
total = 0
for i in range(9_000_000):
    total += i
