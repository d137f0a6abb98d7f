"""Does to the scoreboard of its process group what an application with bad intentions would."""
import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def mappings(name):
    with open('/proc/self/maps') as maps:
        for line in maps:
            if name in line:
                start, end = (int(text, 16) for text in line.split()[0].split('-'))
                yield start, end - start


def can_write_memory(start):
    try:
        with open('/proc/self/mem', 'r+b', buffering=0) as memory:
            memory.seek(start)
            return memory.write(b'\xff' * 64) > 0
    except OSError:
        return False


def can_write_board():
    found = list(mappings('pyhost-board'))
    assert found
    return [start for start, size in found
            if libc.mprotect(start, size, mmap.PROT_READ | mmap.PROT_WRITE) == 0
            or can_write_memory(start)]


def open_board_again():
    for number in os.listdir('/proc/self/fd'):
        if 'pyhost-board' in os.path.realpath(f'/proc/self/fd/{number}'):
            yield os.open(f'/proc/self/fd/{number}', os.O_RDWR)


def application(environ, start_response):
    if can_write_board() or list(open_board_again()):
        answer = b'the board can be written to'
    else:
        for start, size in mappings('pyhost-reports'):
            ctypes.memset(start, int(environ['QUERY_STRING'], 16), size)
        answer = b'done'
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [answer]
