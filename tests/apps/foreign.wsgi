"""Behind its first reply its worker greets whoever connects as one of another build would."""
import os
import select
import socket
import struct
import sys
import threading

HELLO = 73
BUILD = b'0.9-other'


def greet_for_ever(listening):
    payload = struct.pack('=I', len(BUILD)) + BUILD + b'what that build understands'
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    while True:
        poll.poll()
        try:
            connection = listening.accept()[0]
        except BlockingIOError:
            continue
        connection.sendall(struct.pack('=IB3x', len(payload), HELLO) + payload)
        print('answered with %d bytes' % len(connection.recv(4096)), file=sys.stderr)
        connection.close()


def open_descriptors(kind):
    for name in os.listdir('/proc/self/fd'):
        try:
            if os.readlink('/proc/self/fd/' + name).startswith(kind):
                yield int(name)
        except OSError:
            pass


class Reply(list):
    """Its end has left when it is closed."""

    def close(self):
        listening = socket.socket(fileno=os.dup(3))
        # The worker itself accepts nobody from now on.
        for number in open_descriptors('anon_inode:[eventpoll]'):
            try:
                select.epoll.fromfd(os.dup(number)).unregister(3)
            except OSError:
                pass
        threading.Thread(target=greet_for_ever, args=[listening], daemon=True).start()
        for number in open_descriptors('socket:'):
            with socket.socket(fileno=os.dup(number)) as other:
                if number != 3 and other.getsockname() == listening.getsockname():
                    if not other.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        other.shutdown(socket.SHUT_RDWR)


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return Reply([b'of one build'])
