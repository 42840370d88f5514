def work():
    total = 0
    while True:
        total += 1


work()
