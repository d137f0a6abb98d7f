"""Replies for clients that are slow or leave. Marks are files in the folder of that name."""

import os
import time


class Ticks:
    def __init__(self, marks):
        self.marks = marks

    def __iter__(self):
        while True:
            yield b'tick\n'
            time.sleep(0.02)

    def close(self):
        open(os.path.join(self.marks, 'closed'), 'w').close()


def application(environ, start_response):
    path = environ['PATH_INFO']
    start_response('200 OK', [('X-Long', 'x' * 10000)] if path == '/header' else [])
    if path == '/large':
        return (b'x' * 50000 for _ in range(int(environ['QUERY_STRING'])))
    if path == '/ticks':
        return Ticks(environ['MARKS'])
    return [b'hello']
