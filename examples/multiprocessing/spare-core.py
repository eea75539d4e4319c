"""A pool that leaves one core to the rest of the machine: how long numbers take to 1 by halving, or tripling and adding 1."""

from multiprocessing import Pool, cpu_count


def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count


def main():
    # A machine may have one core alone. cpu_count() counts those that this process may not use, too.
    workers = max(1, cpu_count() - 1)
    print(f"# {workers} of {cpu_count()} cores")
    with Pool(workers) as pool:
        found = pool.map(steps, range(1, 20_001))
    print("the first:", *found[:20])
    longest = max(found)
    print(f"the longest: {longest} steps from {found.index(longest) + 1}")


if __name__ == "__main__":
    main()
