"""1 MB as 100 blocks of a generator."""

BLOCK = b"x" * 10_000


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(100):
        yield BLOCK
