"""Instructions of the processor that requests take, by valgrind, which counts them the same way on
every machine."""

import contextlib
import os
import re
import shutil
import socket
import struct
import threading

from counting import CASES, MODES, PLACES, serving

VALGRIND = (
    *("valgrind", "-q", "--tool=callgrind", "--fair-sched=yes"),
    "--callgrind-out-file={root}/counts.%p",
)
# glibc chooses among several of memcpy() and others by the processor; valgrind's has what the machine's
# has of these.
TUNABLES = ":".join(
    (
        "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-BMI1,-BMI2,-ERMS,-FSRM,-LZCNT,-MOVBE,-POPCNT,-RTM"
        ",-SSE4_2",
        "glibc.cpu.x86_non_temporal_threshold=0x4000000",
    )
)
WARM_UP = 20
WINDOWS = 3
WORKER_SCRIPT = """#!/bin/sh
export PYHOST_MARKS={aid} GLIBC_TUNABLES={tunables}
exec {valgrind} {program} "$@"
"""


def modules_with_counted_worker(build, root):
    """A folder with what is built, but that its worker runs under valgrind. What lies between httpd and
    that, the supervisor, does not."""
    folder = root / "modules"
    folder.mkdir()
    for file in [build / "mod_pyhost.so", *build.glob("pyhost-*")]:
        if file.is_file() and file.name != "pyhost-worker":
            shutil.copy(file, folder)
    script = folder / "pyhost-worker"
    script.write_text(
        WORKER_SCRIPT.format(
            aid=aid_of(build),
            tunables=TUNABLES,
            valgrind=" ".join(VALGRIND).format(root=root),
            program=build / "pyhost-worker",
        )
    )
    script.chmod(0o755)
    return folder


def aid_of(build):
    return build / "tests/callgrind_aid.so"


def answer_with_pidfds(listening):
    with contextlib.suppress(OSError):
        while True:
            connection = listening.accept()[0]
            with connection:
                pidfd = os.pidfd_open(struct.unpack("i", connection.recv(4))[0])
                socket.send_fds(connection, [b"\0"], [pidfd])
                os.close(pidfd)


@contextlib.contextmanager
def pidfds_at(path):
    """callgrind_aid.c says what for."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o777)
        listening.listen()
        thread = threading.Thread(target=answer_with_pidfds, args=(listening,), daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def counts_of(root):
    """{(pid, name of a mark): instructions since the mark before it}"""
    counts = {}
    for file in root.glob("counts.*.*"):
        text = file.read_text()
        name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
        if name and total:
            counts[int(file.name.split(".")[1]), name[1]] = int(total[1])
    return counts


@contextlib.contextmanager
def counted_server(build, root):
    environment = {
        "PYHOST_MARKS": str(aid_of(build)),
        "LD_PRELOAD": str(aid_of(build)),
        "PYHOST_PIDFDS": str(root / "pidfds"),
        "GLIBC_TUNABLES": TUNABLES,
    }
    with pidfds_at(root / "pidfds"):
        modules = modules_with_counted_worker(build, root)
        with serving(modules, root, VALGRIND, environment) as client:
            yield client


def ask_between_marks(client, case, mode, name):
    """The pids of the processes that have marked the begin and the end of each of some windows."""
    for _ in range(WARM_UP):
        client.ask(f"/{mode}/{case.app}", case.body)
    for window in range(WINDOWS):
        client.mark(f"begin-{name}-{window}")
        client.mark(f"nothing-{name}-{window}")
        for _ in range(case.requests):
            client.ask(f"/{mode}/{case.app}", case.body)
        pids = client.mark(f"all-{name}-{window}")
    return pids


def of_one_request(counts, pid, name, requests):
    """What happens now and then only adds, so the window with the least is meant."""
    return min(
        (counts[pid, f"all-{name}-{window}"] - counts[pid, f"nothing-{name}-{window}"]) / requests
        for window in range(WINDOWS)
    )


def instructions(build, root):
    """{(case, mode, process): instructions of a request}"""
    with counted_server(build, root) as client:
        for name, case in CASES.items():
            for mode in MODES:
                pids = ask_between_marks(client, case, mode, f"{name}-{mode}")
        counts = counts_of(root)
    return {
        (name, mode, process): round(
            of_one_request(counts, pids[process], f"{name}-{mode}", case.requests)
        )
        for name, case in CASES.items()
        for mode in MODES
        for process in PLACES[mode]
    }
