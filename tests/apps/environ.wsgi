"""Answers with its environ, a line for each key behind an empty one."""


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    lines = ''.join(f'{key}={value}\n' for key, value in sorted(environ.items()))
    return [b'\n', lines.encode('latin-1')]


def other(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'other']
