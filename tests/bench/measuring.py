"""Loads servers in turns, and counts what it costs them."""

import dataclasses
import re
import statistics
import subprocess
import sys
import tempfile

from servers import running

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclasses.dataclass(frozen=True)
class Load:
    """What clients do. `lua` is wrk's script; with streams, h2load asks over HTTP/2."""

    lua: str = ""
    streams: int = 0


@dataclasses.dataclass(frozen=True)
class Figures:
    """Of one measurement. Times are microseconds; those of a half and of 99 % may be unknown."""

    rate: float  # requests per second
    cpu: float  # of all processes of the server, per request
    p50: float = 0.0
    p99: float = 0.0


def output_of(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def microseconds(text, name):
    found = re.search(rf"^\s+{name}\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
    return float(found[1]) * UNITS[found[2]] if found else 0.0


def ask_with_wrk(server, load, connections, seconds):
    """Requests, and figures without those of the server."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.lua)
        script.flush()
        text = output_of(
            ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
            + [server.url]
        )
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"not all requests were answered:\n{text}{server.log()}")
    return (
        int(re.search(r"(\d+) requests in", text)[1]),
        Figures(
            rate=float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]),
            cpu=0.0,
            p50=microseconds(text, "50%"),
            p99=microseconds(text, "99%"),
        ),
    )


def ask_with_h2load(server, load, connections, seconds):
    text = output_of(
        ["h2load", "-t1", f"-c{connections}", f"-m{load.streams}", f"-D{seconds}", server.url]
    )
    done, failed = re.search(r"(\d+) succeeded, (\d+) failed", text).groups()
    if int(failed) != 0 or int(done) == 0:
        raise SystemExit(f"not all requests were answered:\n{text}{server.log()}")
    return int(done), Figures(rate=int(done) / seconds, cpu=0.0)


def measure_once(server, load, connections, seconds):
    before = server.cpu_seconds()
    ask = ask_with_h2load if load.streams else ask_with_wrk
    requests, figures = ask(server, load, connections, seconds)
    cpu = server.cpu_seconds() - before
    return dataclasses.replace(figures, cpu=cpu / requests * 1e6)


def measure(kinds, rounds, seconds, connection_counts, load=Load(), **server_options):
    """{(connections, server): [Figures, ...]}; every round starts each server afresh, and in another
    order."""
    figures = {(count, name): [] for count in connection_counts for name in kinds}
    names = list(kinds)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            with running(kinds[name], **server_options) as server:
                # Imports the application and fills the caches.
                measure_once(server, load, min(10, max(connection_counts)), 1)
                for count in connection_counts:
                    figures[count, name].append(measure_once(server, load, count, seconds))
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
    return figures


def median_of(values, what):
    return statistics.median(getattr(figures, what) for figures in values)


def medians_of(figures):
    """{(connections, server): (requests/s, us/request)}"""
    return {
        key: (median_of(values, "rate"), median_of(values, "cpu"))
        for key, values in figures.items()
    }
