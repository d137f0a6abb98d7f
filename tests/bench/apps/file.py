"""1 MB of a file, by wsgi.file_wrapper."""

import os

PATH = os.path.join(os.path.dirname(__file__), "meg.bin")


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1000000")])
    return environ["wsgi.file_wrapper"](open(PATH, "rb"), 65536)
