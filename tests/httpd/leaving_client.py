"""A client of views.asgi that leaves in the middle, and stays to see whether the application is told.

usage: leaving_client.py h1|tls|h2c|h2_tls poll|stream|upload|socket PORT LOG
Looks into httpd's error log for what the application says. Ends with 77 when there is no package h2.
"""

import pathlib
import sys
import time

sys.dont_write_bytecode = True

from web_socket_client import KEY, Http2, Session, connect

HEADS = {
    'poll': ('GET', ()),
    'stream': ('GET', ()),
    'upload': ('POST', (('content-length', '1000000'),)),
    'socket': ('GET', (('upgrade', 'websocket'), ('connection', 'Upgrade'),
                       ('sec-websocket-version', '13'), ('sec-websocket-key', KEY.decode()))),
}


def wait_for(log, text):
    deadline = time.monotonic() + 30
    while text not in pathlib.Path(log).read_text(errors='replace'):
        if time.monotonic() > deadline:
            sys.exit(f'"{text}" does not come')
        time.sleep(0.01)


def leave_http1(shape, port, tls):
    """What leaves, when called."""
    method, headers = HEADS[shape]
    connection = connect(port, tls)
    lines = [f'{method} /at/{shape} HTTP/1.1', 'host: localhost',
             *(f'{name}: {value}' for name, value in headers)]
    connection.sendall('\r\n'.join(lines).encode() + b'\r\n\r\n')
    if shape == 'upload':
        connection.sendall(b'x' * 10_000)
    return connection.close


def leave_http2(shape, port, tls):
    session = Session(port, tls)
    if shape == 'socket':
        stream = Http2(session, '/at/socket').stream
    else:
        method, headers = HEADS[shape]
        stream = session.h2.get_next_available_stream_id()
        session.h2.send_headers(stream, [
            (':method', method), (':scheme', 'https' if tls else 'http'),
            (':path', f'/at/{shape}'), (':authority', 'localhost'), *headers],
            end_stream=shape != 'upload')
        if shape == 'upload':
            session.h2.send_data(stream, b'x' * 10_000)
        session.flush()

    def reset():
        session.h2.reset_stream(stream, error_code=8)
        session.flush()
    return reset


def main(kind, shape, port, log):
    if kind.startswith('h2'):
        try:
            import h2  # noqa: F401
        except ImportError:
            sys.exit(77)
    leave_by = leave_http2 if kind.startswith('h2') else leave_http1
    leave = leave_by(shape, int(port), kind.endswith('tls'))
    wait_for(log, f'{shape} has begun')
    leave()
    wait_for(log, f'{shape} was told')


main(*sys.argv[1:])
