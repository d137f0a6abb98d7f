"""System calls that requests take, by strace."""

import collections
import pathlib
import re
import subprocess
import time

from counting import CASES, MODES, PLACES, serving

STRACE = ("strace", "-f", "-s", "64", "-o", "{root}/calls")
REQUESTS = 20
WARM_UP = 10
PAUSE = 0.02  # seconds in which threads go back to where they wait
BEGUN = re.compile(r"^(\d+) +(\w+)\(")
# How a request shows in what httpd reads.
ASKED = re.compile(r'"(?:GET|POST) /(\w+)/(\w+)\?(\d+) ')
# Which thread of httpd is woken how often is chance.
BY_CHANCE = {"futex", "sched_yield"}


def why_not():
    """Why nothing can be counted here, or nothing."""
    try:
        tried = subprocess.run(
            ["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr if tried.returncode != 0 else ""


def threads_of(pid):
    return [int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]


def calls_of_requests(log, process_of):
    """{(mode, app): [{process: Counter of the calls' names} for each request]}. A request is all that
    happens from where httpd reads it to where it reads the next."""
    requests = collections.defaultdict(list)
    calls = collections.defaultdict(collections.Counter)
    for line in log.splitlines():
        if asked := ASKED.search(line):
            calls = collections.defaultdict(collections.Counter)
            requests[asked[1], asked[2]].append(calls)
        begun = BEGUN.match(line)
        if begun and begun[2] not in BY_CHANCE and int(begun[1]) in process_of:
            calls[process_of[int(begun[1])]][begun[2]] += 1
    return requests


def most_frequent(requests, process):
    """What most requests take: {name of a call: how often}. Others are in the way of something that
    happens now and then."""
    seen = collections.Counter(tuple(sorted(calls[process].items())) for calls in requests)
    return dict(seen.most_common(1)[0][0])


def ask_slowly(client, case, mode):
    for _ in range(WARM_UP):
        client.ask(f"/{mode}/{case.app}", case.body)
    for number in range(REQUESTS):
        client.ask(f"/{mode}/{case.app}?{number}", case.body)
        time.sleep(PAUSE)


def system_calls(build, root):
    """{(case, mode, process): {name of a call: how often a request takes it}}"""
    with serving(build, root, STRACE, {}) as client:
        pids = client.mark("begin")
        for case in CASES.values():
            for mode in MODES:
                ask_slowly(client, case, mode)
        process_of = {tid: process for process, pid in pids.items() for tid in threads_of(pid)}
        log = (root / "calls").read_text()
    requests = calls_of_requests(log, process_of)
    # The last request of each goes on into what warms the next one up.
    return {
        (name, mode, process): most_frequent(requests[mode, case.app][:-1], process)
        for name, case in CASES.items()
        for mode in MODES
        for process in PLACES[mode]
    }
