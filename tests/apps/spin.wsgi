"""Computes without a pause until the first byte of the file in the query is no longer '0'."""
import mmap
import time


def application(environ, start_response):
    with open(environ['QUERY_STRING'], 'r+b') as file:
        shared = mmap.mmap(file.fileno(), 2)
    shared[1] = ord('1')
    give_up = time.monotonic() + 30
    while shared[0] == ord('0') and time.monotonic() < give_up:
        pass
    start_response('200 OK', [])
    return [b'released' if shared[0] != ord('0') else b'gave up']
