"""Speaks to the WebSocket at /ws/echo over TLS, or as a stream of HTTP/2, and says how that went.

usage: web_socket_client.py tls|h2c|h2_tls PORT [SOCKETS]
Ends with 77 when there is no package h2.
"""

import socket
import ssl
import sys

KEY = b'dGhlIHNhbXBsZSBub25jZQ=='
MASK = b'\x12\x34\x56\x78'


def masked(opcode, payload):
    assert len(payload) < 126
    return (bytes([0x80 | opcode, 0x80 | len(payload)]) + MASK
            + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload)))


def frames_in(received):
    """The (opcode, payload) of short frames, and what is left."""
    frames = []
    while len(received) >= 2 and len(received) >= 2 + received[1]:
        frames.append((received[0] & 15, received[2:2 + received[1]]))
        received = received[2 + received[1]:]
    return frames, received


def connect(port, tls, protocols=()):
    connection = socket.create_connection(('127.0.0.1', port))
    connection.settimeout(30)
    if not tls:
        return connection
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(connection, server_hostname='localhost')


class Http1:
    """A socket of its own."""

    def __init__(self, port):
        self.connection = connect(port, tls=True)
        self.connection.sendall(
            b'GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n'
            b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
            b'Sec-WebSocket-Key: ' + KEY + b'\r\n\r\n')
        received = b''
        while b'\r\n\r\n' not in received:
            received += self.connection.recv(65536)
        head, _, self.received = received.partition(b'\r\n\r\n')
        self.status = int(head.split()[1])

    def send(self, data):
        self.connection.sendall(data)

    def receive(self):
        """b'' at the end."""
        received, self.received = self.received, b''
        return received or self.connection.recv(65536)


class Http2:
    """A stream of a connection that others may have, too."""

    def __init__(self, session, path='/ws/echo'):
        self.session = session
        self.stream = session.h2.get_next_available_stream_id()
        session.streams[self.stream] = self
        self.status = None
        self.received = b''
        self.ended = False
        session.h2.send_headers(self.stream, [
            (':method', 'CONNECT'), (':protocol', 'websocket'), (':scheme', 'http'),
            (':path', path), (':authority', 'localhost'),
            ('sec-websocket-version', '13')])
        session.flush()
        while self.status is None and not self.ended:
            session.receive()

    def send(self, data):
        self.session.h2.send_data(self.stream, data)
        self.session.flush()

    def receive(self):
        while not self.received and not self.ended:
            self.session.receive()
        received, self.received = self.received, b''
        return received


class Session:
    def __init__(self, port, tls):
        import h2.config
        import h2.connection
        self.connection = connect(port, tls, ['h2'])
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding='utf-8'))
        self.streams = {}
        self.allows_connect = False
        self.h2.initiate_connection()
        self.flush()
        while not self.allows_connect:
            self.receive()

    def flush(self):
        self.connection.sendall(self.h2.data_to_send())

    def receive(self):
        import h2.events
        import h2.settings
        data = self.connection.recv(65536)
        if not data:
            sys.exit('the connection has ended')
        for event in self.h2.receive_data(data):
            stream = self.streams.get(getattr(event, 'stream_id', None))
            if isinstance(event, h2.events.RemoteSettingsChanged):
                code = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL
                self.allows_connect = self.allows_connect or code in event.changed_settings
            elif isinstance(event, h2.events.ResponseReceived):
                stream.status = int(dict(event.headers)[':status'])
            elif isinstance(event, h2.events.DataReceived):
                stream.received += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                stream.ended = True
        self.flush()


def read_frame(client, received):
    while True:
        frames, left = frames_in(received)
        if frames:
            opcode, payload = frames[0]
            return opcode, payload, received[2 + len(payload):]
        more = client.receive()
        if not more:
            return None, b'', b''
        received = left + more


def main(kind, port, sockets='1'):
    if kind == 'tls':
        clients = [Http1(int(port)) for _ in range(int(sockets))]
    else:
        try:
            import h2  # noqa: F401
        except ImportError:
            sys.exit(77)
        session = Session(int(port), kind == 'h2_tls')
        clients = [Http2(session) for _ in range(int(sockets))]
    print('status', *[client.status for client in clients])
    for client in clients:
        if client.status not in (101, 200):
            continue
        left = b''
        for text in (b'hello', b'again'):
            client.send(masked(1, text))
            opcode, payload, left = read_frame(client, left)
            print('echo', opcode, payload.decode())
        client.send(masked(8, b'\x03\xe8'))
        opcode, payload, left = read_frame(client, left)
        print('close', opcode, int.from_bytes(payload, 'big'))
        opcode, payload, left = read_frame(client, left)
        print('end', opcode)


if __name__ == '__main__':
    main(*sys.argv[1:])
