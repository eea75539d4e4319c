"""A process sorts numbers that lie in shared memory: what it puts in order is in order here, too."""

from multiprocessing import Array, Process


def bubble_sort(numbers):
    for end in range(len(numbers) - 1, 0, -1):
        swapped = False
        for i in range(end):
            if numbers[i] > numbers[i + 1]:
                numbers[i], numbers[i + 1] = numbers[i + 1], numbers[i]
                swapped = True
        if not swapped:
            return


def main():
    # 1,000 different numbers, far from any order. No lock: nobody else looks at them before join() returns.
    numbers = Array("i", [n * 7919 % 1009 for n in range(1000)], lock=False)
    print("before:", *numbers[:10])
    process = Process(target=bubble_sort, args=(numbers,))
    process.start()
    process.join()
    print("after:", *numbers[:10])
    print("in order:", "yes" if numbers[:] == sorted(numbers) else "no")
    print(process.name, "ended with exit code", process.exitcode)


if __name__ == "__main__":
    main()
