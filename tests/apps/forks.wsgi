"""Tries to fork, in the way that the path names, and says what came of it."""
import multiprocessing
import os
import pty


def by_multiprocessing():
    multiprocessing.get_context('fork').Process(target=print).start()


WAYS = {'/os': os.fork, '/pty': pty.fork, '/multiprocessing': by_multiprocessing,
        '/none': lambda: None}


def application(environ, start_response):
    outcome = 'no error'
    try:
        WAYS[environ['PATH_INFO']]()
    except RuntimeError as error:
        outcome = str(error)
    start_response('200 OK', [('X-Pid', str(os.getpid()))])
    return [outcome.encode()]
