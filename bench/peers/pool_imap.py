"""The contenders that use CPython's multiprocessing: Pool.imap, as its manual has it.

Speaks to the rounds as harness/contender.ts does: a line of JSON when it is ready, then one for each line that it reads.
The pool is started before that, with one process for each core.
"""

import json
import math
import os
import re
import sys
from itertools import islice
from multiprocessing import Pool, active_children
from time import perf_counter, process_time

CHUNKSIZE = 1000

combined = re.compile(r'(\S+) \S+ (\S+) \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-) "[^"]*" "([^"]*)"$').match


def parse(line):
    """The counterpart of work/parse.ts. A tuple, since that is what crosses to another process fastest."""
    match = combined(line)
    if match is None:
        return ("", "", "", "", line, 0, 0, "")
    ip, user, time, method, path, status, size, agent = match.groups()
    return (ip, user, time, method, path, int(status), 0 if size == "-" else int(size), agent)


def tally(lines):
    total = 0
    statuses = {}
    for line in lines:
        hit = parse(line)
        total += hit[6]
        statuses[hit[5]] = statuses.get(hit[5], 0) + 1
    return total, statuses


def batches(items, size):
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def access_log(pool, parameters):
    total = 0
    statuses = {}
    with open(parameters["path"], encoding="latin-1", newline="\n") as file:
        for hit in pool.imap(parse, file, CHUNKSIZE):
            total += hit[6]
            statuses[hit[5]] = statuses.get(hit[5], 0) + 1
    return {"bytes": total, "statuses": statuses}


def access_log_reduce(pool, parameters):
    total = 0
    statuses = {}
    with open(parameters["path"], encoding="latin-1", newline="\n") as file:
        for part, counts in pool.imap(tally, batches(file, CHUNKSIZE)):
            total += part
            for status, count in counts.items():
                statuses[status] = statuses.get(status, 0) + count
    return {"bytes": total, "statuses": statuses}


def roots(pool, parameters):
    total = 0.0
    for y in pool.imap(math.sqrt, range(parameters["count"]), CHUNKSIZE):
        total += y
    return total


def cpu_ms():
    """CPU time of this process and of its workers so far, in milliseconds; None on systems without /proc."""
    try:
        return 1000 * (process_time() + sum(map(cpu_seconds, active_children())))
    except FileNotFoundError:
        return None


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main():
    name, parameters, processes = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    contender = {"access_log": access_log, "access_log_reduce": access_log_reduce, "roots": roots}[name]
    with Pool(processes) as pool:
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            cpu = cpu_ms()
            start = perf_counter()
            answer = contender(pool, parameters)
            measured = {"figure": perf_counter() - start, "answer": answer}
            if cpu is not None:
                measured["cpu"] = {"total": cpu_ms() - cpu}
            print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()
