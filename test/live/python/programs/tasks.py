import asyncio


async def wait_a_little():
    await asyncio.sleep(0.5)


def work(n):
    total = 0
    for i in range(n):
        total += i % 5
    return total


async def main():
    await asyncio.gather(*(wait_a_little() for _ in range(3)))
    work(6_000_000)


asyncio.run(main())
