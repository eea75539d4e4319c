"""Square roots by a pool, against a plain loop: for items that cost next to nothing, the loop wins. See square-roots.ts."""

import math
from multiprocessing import Pool
from time import perf_counter

PART = 50_000


def whole(roots):
    return sum(map(float.is_integer, roots))


def whole_between(start, end):
    return whole(map(math.sqrt, range(start, end)))


def parts(count):
    return [(start, min(start + PART, count)) for start in range(0, count, PART)]


def timed(what, work):
    start = perf_counter()
    result = work()
    print(f"#   {what:<24} {perf_counter() - start:7.3f} s")
    return result


def main():
    with Pool() as pool:
        for count in (100_000, 5_000_000):
            numbers = range(count)
            print(f"# {count} numbers")
            by_loop = timed("loop", lambda: whole([math.sqrt(n) for n in numbers]))
            by_pool = timed("map", lambda: whole(pool.map(math.sqrt, numbers)))
            timed("imap, chunksize=1000", lambda: whole(pool.imap(math.sqrt, numbers, chunksize=1000)))
            by_parts = timed("starmap over parts", lambda: sum(pool.starmap(whole_between, parts(count))))
            print(f"{count} numbers, whole roots: {by_loop} by the loop, {by_pool} by the pool, {by_parts} by parts")


if __name__ == "__main__":
    main()
