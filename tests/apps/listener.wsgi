"""Leaves a process behind that goes on accepting at the worker's listening socket."""
import os
import select
import socket


def accept_for_ever():
    listening = socket.socket(fileno=os.dup(3))
    kept = []
    while True:
        select.select([listening], [], [])
        try:
            connection = listening.accept()[0]
        except BlockingIOError:
            continue
        except OSError:
            # Nobody comes to a socket that was shut down.
            os._exit(0)
        # It says HELLO as a worker does, and answers nothing.
        kept.append(connection)


def application(environ, start_response):
    body = str(os.getuid())
    if environ['QUERY_STRING'] == 'fork':
        pid = os.fork()
        if pid == 0:
            accept_for_ever()
        body = str(pid)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('X-Uid', str(os.getuid()))])
    return [body.encode()]
