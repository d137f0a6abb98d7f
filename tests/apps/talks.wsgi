"""Writes to its process's standard output and error, and says what it can read."""
import os


def application(environ, start_response):
    os.write(1, b'raw words on descriptor 1\n')
    os.write(2, b'raw words on descriptor 2\n')
    os.system('echo words of a child')
    start_response('200 OK', [])
    return [repr(os.read(0, 10)).encode()]
