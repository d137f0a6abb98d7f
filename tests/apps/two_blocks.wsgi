"""Makes its second block when MARKS has the file `left`, and leaves marks of how it ended. Below
/quick, it makes three: two at once, and the third as that one."""
import os
import time


def blocks(marks, quick):
    try:
        yield b'one'
        if quick:
            yield b'and'
        while True:
            time.sleep(0.01)
            if os.path.exists(marks + '/left'):
                break
        yield b'two'
        open(marks + '/went_on', 'w').close()
    finally:
        open(marks + '/closed', 'w').close()


def application(environ, start_response):
    start_response('200 OK', [])
    return blocks(environ['MARKS'], environ['PATH_INFO'] == '/quick')
