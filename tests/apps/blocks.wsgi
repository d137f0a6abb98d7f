"""Sends as many large blocks as the query says, and the end when the file GATE is there."""
import os
import time


def application(environ, start_response):
    start_response('200 OK', [])
    for _ in range(int(environ['QUERY_STRING'])):
        yield b'x' * 300_000
    while not os.path.exists(environ['GATE']):
        time.sleep(0.01)
    yield b'end'
