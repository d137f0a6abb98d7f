"""Marks a place in what a process does for those who count it: in callgrind's figures, by the library
that PYHOST_MARKS names, and in a log of system calls. Answers with the process."""

import ctypes
import os

LIBRARY = os.environ.get("PYHOST_MARKS")
mark = ctypes.CDLL(LIBRARY).pyhost_mark if LIBRARY else None


def application(environ, start_response):
    name = environ["QUERY_STRING"]
    if mark is not None:
        mark(name.encode())
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
