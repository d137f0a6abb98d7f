"""A reply with 20 headers to requests that have 30."""

BODY = b"Hello World!\n"
HEADERS = [
    ("Content-Type", "text/plain"),
    ("Content-Length", str(len(BODY))),
    *((f"X-Reply-Header-{i}", f"the value of header number {i}") for i in range(18)),
]


def application(environ, start_response):
    start_response("200 OK", HEADERS)
    return [BODY]
