"""Five processes increment one number in shared memory, each under its lock: none of the increments is lost."""

import argparse
from multiprocessing import Process, Value
from time import perf_counter


def increment(counter):
    # Without the lock two processes can read the same number, and one of the two increments is lost.
    with counter.get_lock():
        counter.value += 1


def count_to_five():
    counter = Value("i", 0)
    processes = [Process(target=increment, args=(counter,)) for _ in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return counter.value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=1, help="how often to run it (default: 1)")
    times = parser.parse_args().times
    start = perf_counter()
    answers = {count_to_five() for _ in range(times)}
    print("answers:", *sorted(answers))
    print(f"# {times} runs in {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
