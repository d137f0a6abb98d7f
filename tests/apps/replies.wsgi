"""A reply of a different shape for each path."""


def stream(blocks):
    yield from blocks
    raise RuntimeError('broken on purpose')


def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = []
    if path == '/repeated':
        headers = [('X-A', '1'), ('X-A', '2'), ('Date', 'never'), ('Server', 'mine')]
    if path == '/typed':
        headers = [('Content-Type', 'application/x-httpd-wsgi')]
    if path == '/login':
        headers = [('WWW-Authenticate', 'Basic realm="x"'), ('Set-Cookie', 'a=1')]
    if path == '/elsewhere':
        headers = [('Location', '/app/typed?203+There')]
    if path == '/short':
        headers = [('Content-Length', '100')]
    start_response(environ['QUERY_STRING'].replace('+', ' ') or '200 OK', headers)
    if path == '/broken':
        return stream([b'first ', b'second'])
    if path == '/file':
        return environ['wsgi.file_wrapper'](open(__file__, 'rb'))
    return [b'body']
