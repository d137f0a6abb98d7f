"""Tries to fork, in the way that the path names, and says what came of it."""
import multiprocessing
import os


def by_multiprocessing():
    multiprocessing.get_context('fork').Process(target=print).start()


WAYS = {'/os': os.fork, '/pty': lambda: os.forkpty()[0],
        '/multiprocessing': by_multiprocessing, '/none': lambda: None}


def application(environ, start_response):
    outcome = 'no error'
    try:
        if WAYS[environ['PATH_INFO']]() == 0:
            os._exit(1)  # the copy of a process that let itself be copied
    except RuntimeError as error:
        outcome = str(error)
    start_response('200 OK', [('X-Pid', str(os.getpid()))])
    return [outcome.encode()]
