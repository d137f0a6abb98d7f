"""A millisecond of the processor."""

import time

BODY = b"Hello World!\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def application(environ, start_response):
    until = time.thread_time() + 0.001
    while time.thread_time() < until:
        pass
    start_response("200 OK", HEADERS)
    return [BODY]
