"""Pairs of neighbours, (x, x + 1): half of their product is the sum of all numbers up to x."""

from multiprocessing import Pool


def triangle(x, y):
    return x * y // 2


if __name__ == "__main__":
    with Pool() as pool:
        # starmap() makes a list of them first.
        print(*pool.starmap(triangle, ((x, x + 1) for x in range(1000))))
