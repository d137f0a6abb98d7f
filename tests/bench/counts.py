"""What requests take, as it is kept in counts.json and shown."""

import dataclasses
import json
import pathlib
import platform
import re
import subprocess

from counting import CASES
from kinds import HTTPD

FILE = pathlib.Path(__file__).with_name("counts.json")
RELEASE = "Release"
MORE_INSTRUCTIONS = 1.03


@dataclasses.dataclass(frozen=True)
class Counts:
    """Of one request in one process. `calls` is {name of a system call: how often}."""

    instructions: int
    calls: dict


def cached(build, name):
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""


def kind_of(build):
    """What the compiler was told."""
    kind = cached(build, "CMAKE_BUILD_TYPE")
    parts = [kind, cached(build, f"CMAKE_CXX_FLAGS_{kind.upper()}"), cached(build, "PYHOST_SANITIZE")]
    return kind if kind == RELEASE else " ".join(part for part in parts if part)


def first_match(pattern, text):
    found = re.search(pattern, text)
    return found[1] if found else "none"


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""


def versions_of(build):
    """All others whose instructions are counted, and who counts."""
    compiler = "".join(
        file.read_text() for file in build.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")
    )
    return {
        "machine": platform.machine(),
        "compiler": first_match(r'COMPILER_ID "(\w+)"', compiler)
        + first_match(r'COMPILER_VERSION "(\d+)', compiler),
        "httpd": first_match(r"Apache/(\S+)", output_of(HTTPD, "-v")),
        "CPython": platform.python_version(),
        "glibc": platform.libc_ver()[1],
        "valgrind": first_match(r"valgrind-(\S+)", output_of("valgrind", "--version")),
        "strace": first_match(r"version (\S+)", output_of("strace", "--version")),
    }


def read_file():
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def kept_of(build):
    """{(case, mode, process): Counts}, or why there are none to compare with."""
    kept = read_file().get(kind_of(build))
    if kept is None:
        return f"nothing is kept for builds of the kind {kind_of(build)!r}"
    versions = versions_of(build)
    if kept["versions"] != versions:
        return f"what is kept was counted with {kept['versions']}, and here is {versions}"
    return {
        tuple(place.split()): Counts(each["instructions"], each["calls"])
        for place, each in kept["counts"].items()
    }


def keep(build, counted):
    kept = read_file()
    kept[kind_of(build)] = {
        "versions": versions_of(build),
        "counts": {" ".join(place): dataclasses.asdict(each) for place, each in counted.items()},
    }
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def difference(before, after):
    """What is taken more or less often: "2 read more, 1 poll less"."""
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in sorted({*before, *after})}
    return ", ".join(
        f"{abs(change)} {name} {'more' if change > 0 else 'less'}"
        for name, change in changes.items()
        if change
    )


def complaints_of(place, kept, counted):
    case = CASES[place[0]]
    most = kept.instructions * MORE_INSTRUCTIONS + case.slack_instructions
    if counted.instructions > most:
        yield (
            f"{' '.join(place)}: {counted.instructions:,} instructions, where {kept.instructions:,} "
            f"are kept and {most:,.0f} let pass"
        )
    before, after = sum(kept.calls.values()), sum(counted.calls.values())
    same = counted.calls == kept.calls
    if not same and (case.slack_calls == 0 or after > before + case.slack_calls):
        yield (
            f"{' '.join(place)}: {after} system calls, where {before} are kept: "
            f"{difference(kept.calls, counted.calls)}"
        )


def complaints(kept, counted):
    missing = [f"{' '.join(place)}: nothing is kept" for place in counted if place not in kept]
    return missing + [
        text
        for place, each in counted.items()
        if place in kept
        for text in complaints_of(place, kept[place], each)
    ]


def table(counted):
    lines = [
        "| request | mode | process | instructions | system calls | |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for (case, mode, process), each in counted.items():
        names = ", ".join(f"{n} {name}" for name, n in sorted(each.calls.items()))
        lines.append(
            f"| {case} | {mode} | {process} | {each.instructions:,} | {sum(each.calls.values())} "
            f"| {names} |"
        )
    return "\n".join(lines)


def described(build):
    versions = ", ".join(f"{name} {version}" for name, version in versions_of(build).items())
    return f"`tests/bench/instructions --write`; {versions}."
