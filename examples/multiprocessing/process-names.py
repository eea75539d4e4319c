"""Who does what, in a log that names the process of each line."""

import logging
from multiprocessing import Process, get_logger, log_to_stderr


def cook(dish):
    get_logger().info("working on the %s", dish)


def main():
    # Processes that are spawned get the level, too. The library writes lines of its own to the same log.
    log_to_stderr(logging.INFO)
    get_logger().info("working on the menu")
    processes = [Process(target=cook, args=(dish,)) for dish in ("soup", "bread", "cake")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    for process in processes:
        print(process.name, process.exitcode)


if __name__ == "__main__":
    main()
