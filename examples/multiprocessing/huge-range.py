"""
A range that is never made into a list: the last digits of ten million squares, counted.

imap() makes no list of its source, but it has no limit either: a thread of the pool reads the range as fast as the workers take
its items, whether anyone wants results or not, and those that nobody has taken yet stay in memory. The loop below keeps pace with
the workers. Behind one that does not, because it writes to a database, say, most of ten million results would pile up.
"""

from multiprocessing import Pool

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # Windows has none.
    getrusage = None

COUNT = 10_000_000


def last_digit(n):
    return n * n % 10


def main():
    digits = [0] * 10
    with Pool() as pool:
        before = getrusage and getrusage(RUSAGE_SELF).ru_maxrss
        # The default chunksize is 1: each number would be a message of its own, and this would take minutes.
        for digit in pool.imap(last_digit, range(COUNT), chunksize=10_000):
            digits[digit] += 1
        # In KiB on Linux, in bytes on macOS. Of this process alone.
        if getrusage:
            print("# peak memory grew by", getrusage(RUSAGE_SELF).ru_maxrss - before)
    for digit, count in enumerate(digits):
        print(digit, count)


if __name__ == "__main__":
    main()
