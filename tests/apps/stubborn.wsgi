"""Puts something in the way of its process's end, as the path names it."""
import atexit
import ctypes
import os
import sys
import threading
import time


def sleep():
    time.sleep(1000)


def keep_the_lock():
    print('keeps the lock', file=sys.stderr, flush=True)
    ctypes.PyDLL(None).sleep(1000)


WAYS = {'/nothing': lambda: None,
        '/thread': lambda: threading.Thread(target=sleep, name='stubborn', daemon=False).start(),
        '/atexit': lambda: atexit.register(sleep),
        '/lock': keep_the_lock}


def application(environ, start_response):
    WAYS[environ['PATH_INFO']]()
    start_response('200 OK', [])
    return [str(os.getpid()).encode()]
