"""Ends, fails or waits in the way that the path names. A wait ends when the file in the query is
there."""
import os
import signal
import time


def broken_stream():
    yield b'first '
    time.sleep(0.2)
    raise RuntimeError('broken on purpose')


def wait_for(file):
    give_up = time.monotonic() + 30
    while not os.path.exists(file) and time.monotonic() < give_up:
        time.sleep(0.01)


def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/exit':
        os._exit(3)
    if path.startswith('/signal/'):
        signal.raise_signal(getattr(signal, path.removeprefix('/signal/')))
    if path == '/raise':
        raise RuntimeError('before the headers')
    if path == '/wait':
        # A file would have a descriptor for a moment.
        os.makedirs(environ['QUERY_STRING'] + '.begun', exist_ok=True)
        wait_for(environ['QUERY_STRING'])
    start_response('200 OK', [('X-Pid', str(os.getpid()))])
    if path == '/stream':
        return broken_stream()
    if path == '/stream/exit':
        return (os._exit(3) if last else b'first ' for last in (False, True))
    return [b'well']
