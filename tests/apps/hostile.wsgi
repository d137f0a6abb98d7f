"""Sends its httpd child the bytes of the request's body as they are, with a descriptor of the kind
that the query names, and ends the connection. Without a body it says hello."""
import array
import contextlib
import os
import socket
import stat

RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)
KINDS = {
    'eventfd': lambda: os.eventfd(0),
    'pipe': lambda: os.pipe()[0],
    'folder': lambda: os.open('/', os.O_RDONLY),
    'socket': lambda: socket.socketpair()[0].detach(),
    'device': lambda: os.open('/dev/zero', os.O_RDONLY),
    'memory': lambda: os.open('/proc/self/mem', os.O_RDONLY),
    'name': lambda: os.open(__file__, os.O_PATH),
    'output': lambda: os.open(f'/proc/self/fd/{os.memfd_create("out")}', os.O_WRONLY),
    'file': lambda: os.open(__file__, os.O_RDONLY)}


def connections():
    for number in map(int, os.listdir('/proc/self/fd')):
        try:
            if stat.S_ISSOCK(os.stat(number).st_mode):
                found = socket.socket(fileno=os.dup(number))
                if str(found.getsockname()).endswith('.sock') and found.getpeername() is not None:
                    yield found
        except OSError:
            pass  # not connected, or what listdir() has used


def application(environ, start_response):
    frames, kind = environ['wsgi.input'].read(), environ['QUERY_STRING']
    # All that there are at this moment: an earlier one may not be closed yet.
    for to in list(connections()) if frames else []:
        fds = [array.array('i', [KINDS[kind]()])] if kind else []
        with contextlib.suppress(OSError):
            to.sendall(frames[to.sendmsg([frames], [(*RIGHTS, each) for each in fds]):])
            to.shutdown(socket.SHUT_RDWR)
    start_response('200 OK', [])
    return [b'hello']
