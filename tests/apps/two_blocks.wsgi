"""Makes its second block when MARKS has the file `left`, and leaves marks of how it ended."""
import os
import time


def blocks(marks):
    try:
        yield b'one'
        while not os.path.exists(marks + '/left'):
            time.sleep(0.01)
        yield b'two'
        open(marks + '/went_on', 'w').close()
    finally:
        open(marks + '/closed', 'w').close()


def application(environ, start_response):
    start_response('200 OK', [])
    return blocks(environ['MARKS'])
