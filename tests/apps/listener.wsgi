"""Leaves a process behind that goes on accepting at the worker's listening socket."""
import os
import select
import socket


def accept_for_ever(listening):
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    kept = []
    while True:
        # A socket that was shut down: nobody comes any more.
        if poll.poll()[0][1] & select.POLLHUP:
            os._exit(0)
        try:
            # It says nothing, and keeps whoever comes waiting.
            kept.append(listening.accept()[0])
        except BlockingIOError:
            pass


def application(environ, start_response):
    body = str(os.getuid())
    if environ['QUERY_STRING'] == 'fork':
        # The worker's own number for it is closed in what it forks.
        listening = socket.socket(fileno=os.dup(3))
        pid = os.fork()
        if pid == 0:
            accept_for_ever(listening)
        listening.close()
        body = str(pid)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('X-Uid', str(os.getuid()))])
    return [body.encode()]
