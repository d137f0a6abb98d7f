"""An application that wsgiref's validator watches, and the server with it."""
from io import BytesIO
from wsgiref.validate import validator


def read_by(method, stream):
    if method == 'read':
        return stream.read(3) + stream.read(100000)
    if method == 'readline':
        return stream.readline() + b'|' + stream.readline(4) + b'|' + stream.read(100000)
    if method == 'readlines':
        return b'|'.join(stream.readlines())
    return b'|'.join(stream)


def watched(environ, start_response):
    environ['wsgi.errors'].flush()
    headers = [('Content-Type', 'text/plain')]
    method = environ['PATH_INFO'].lstrip('/')
    if method == 'file':
        start_response('200 OK', headers)
        return environ['wsgi.file_wrapper'](BytesIO(b'a file-like result'), 4)
    if method == 'write':
        start_response('200 OK', headers)(b'written, ')
        return [b'returned']
    body = read_by(method, environ['wsgi.input']) if method else b'hello'
    start_response('200 OK', headers)
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [body]


application = validator(watched)
