"""A function of two arguments: starmap takes them from the items."""

from multiprocessing import Pool


def multiply(x, y):
    return x * y


if __name__ == "__main__":
    with Pool(2) as pool:
        print(*pool.starmap(multiply, [(2, 3), (5, 7), (11, 13), (17, 19)]))
