"""Loads servers in turns, and counts what it costs them."""

import dataclasses
import re
import statistics
import subprocess
import sys
import tempfile

from servers import ServerFailed, running

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


def output_of_client(command, server):
    client = subprocess.run(command, capture_output=True, text=True)
    if client.returncode < 0:
        raise SystemExit(f"{command[0]} was ended by signal {-client.returncode}")
    unanswered = "Non-2xx" in client.stdout or "Socket errors" in client.stdout
    if client.returncode != 0 or unanswered:
        raise ServerFailed(
            f"has not answered all requests:\n{client.stdout}{client.stderr}{server.log()}"
        )
    return client.stdout


def microseconds(text, name):
    found = re.search(rf"^\s+{name}\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
    return float(found[1]) * UNITS[found[2]] if found else 0.0


def ask_with_wrk(server, load, connections, seconds):
    """Requests, and figures without those of the server."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.lua)
        script.flush()
        options = ["--latency", "--timeout", "30", "-t1", f"-c{connections}", f"-d{seconds}s"]
        text = output_of_client(["wrk", *options, "-s", script.name, server.url], server)
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
    command = ["h2load", "-t1", f"-c{connections}", f"-m{load.streams}", f"-D{seconds}", server.url]
    text = output_of_client(command, server)
    done, failed = re.search(r"(\d+) succeeded, (\d+) failed", text).groups()
    if int(failed) != 0:
        raise ServerFailed(f"has not answered all requests:\n{text}{server.log()}")
    return int(done), Figures(rate=int(done) / seconds, cpu=0.0)


def ask_with(load):
    return ask_with_h2load if load.streams else ask_with_wrk


def measure_once(server, load, connections, seconds):
    before = server.cpu_seconds()
    requests, figures = ask_with(load)(server, load, connections, seconds)
    if requests == 0:
        raise ServerFailed(f"has answered nothing within {seconds} s:\n{server.log()}")
    cpu = server.cpu_seconds() - before
    return dataclasses.replace(figures, cpu=cpu / requests * 1e6)


def warm_up(server, load, connections):
    """Imports the application and fills the caches."""
    ask_with(load)(server, load, connections, 1)


def measure_server(kind, seconds, connection_counts, load, server_options):
    """[Figures for each number of connections]"""
    with running(kind, **server_options) as server:
        warm_up(server, load, min(10, max(connection_counts)))
        return [measure_once(server, load, count, seconds) for count in connection_counts]


def measure(
    kinds, rounds, seconds, connection_counts, load=Load(), failed=None, **server_options
):
    """{(connections, server): [Figures, ...]}; every round starts each server afresh, and in
    another order. A server that fails ends everything; or, given `failed`, is left out and said
    there: {name: what it did}."""
    figures = {(count, name): [] for count in connection_counts for name in kinds}
    names = list(kinds)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if failed is not None and name in failed:
                continue
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
            try:
                measured = measure_server(
                    kinds[name], seconds, connection_counts, load, server_options
                )
            except ServerFailed as failure:
                if failed is None:
                    raise
                failed[name] = str(failure)
                continue
            for count, each in zip(connection_counts, measured):
                figures[count, name].append(each)
    return {key: values for key, values in figures.items() if not failed or key[1] not in failed}


def median_of(values, what):
    return statistics.median(getattr(figures, what) for figures in values)


def medians_of(figures):
    """{(connections, server): (requests/s, us/request)}"""
    return {
        key: (median_of(values, "rate"), median_of(values, "cpu"))
        for key, values in figures.items()
    }
