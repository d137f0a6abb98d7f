"""Replies that come in many blocks, and some that break off."""


def blocks(count, breaks):
    for number in range(count):
        yield b'%d\n' % number
    if breaks:
        raise RuntimeError('broken on purpose')


def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = [('Content-Length', '100000')] if path == '/short' else []
    start_response('200 OK', headers)
    return blocks(int(environ['QUERY_STRING'] or 10), path == '/broken')
