"""Takes a request body, or does not, in the way that the path names."""
import hashlib


def echo(source):
    while block := source.read(3):
        yield block


def application(environ, start_response):
    path, source = environ['PATH_INFO'], environ['wsgi.input']
    start_response('200 OK', [])
    if path == '/ignore':
        return [b'not read']
    if path == '/flood':
        return (b'f' * 50000 for _ in range(400))
    if path == '/echo':
        return echo(source)
    try:
        return [hashlib.md5(source.read()).hexdigest().encode()]
    except OSError as error:
        environ['wsgi.errors'].write(f'told the application: {error}\n')
        raise
