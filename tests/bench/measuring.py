"""Loads servers in turns, and counts what it costs them."""

import re
import statistics
import subprocess
import sys

from servers import running


def load(server, connections, seconds):
    """Requests per second, and microseconds of CPU per request."""
    before = server.cpu_seconds()
    result = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", server.url],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    cpu = server.cpu_seconds() - before
    if "Non-2xx" in result or "Socket errors" in result:
        raise SystemExit(f"not all requests were answered:\n{result}{server.log()}")
    requests = int(re.search(r"(\d+) requests in", result)[1])
    per_second = float(re.search(r"Requests/sec:\s*([\d.]+)", result)[1])
    return per_second, cpu / requests * 1e6


def measure(kinds, rounds, seconds, connection_counts):
    """{(connections, server): [(requests/s, us/request), ...]}"""
    figures = {(count, name): [] for count in connection_counts for name in kinds}
    names = list(kinds)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            with running(kinds[name]) as server:
                load(server, 10, 1)  # imports the application and fills the caches
                for count in connection_counts:
                    figures[count, name].append(load(server, count, seconds))
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
    return figures


def medians_of(figures):
    """{(connections, server): (requests/s, us/request)}"""
    return {
        key: tuple(statistics.median(column) for column in zip(*values))
        for key, values in figures.items()
    }
