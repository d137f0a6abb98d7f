"""A reply of a different shape for each path."""

HEADERS = {
    '/repeated': [('X-A', '1'), ('X-A', '2'), ('Date', 'never'), ('Server', 'mine')],
    '/typed': [('Content-Type', 'application/x-httpd-wsgi')],
    '/login': [('WWW-Authenticate', 'Basic realm="x"'), ('Set-Cookie', 'a=1')],
    '/elsewhere': [('Location', '/app/typed?203+There')],
    '/short': [('Content-Length', '100')],
    '/kept': [('Connection', 'keep-alive'), ('Keep-Alive', 'timeout=77')],
    '/closed': [('Connection', 'close')],
}


def stream(blocks):
    yield from blocks
    raise RuntimeError('broken on purpose')


def application(environ, start_response):
    path = environ['PATH_INFO']
    start_response(environ['QUERY_STRING'].replace('+', ' ') or '200 OK', HEADERS.get(path, []))
    if path == '/broken':
        return stream([b'first ', b'second'])
    if path == '/file':
        return environ['wsgi.file_wrapper'](open(__file__, 'rb'))
    return [b'body']
