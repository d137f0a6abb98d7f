"""Begins its reply before it reads the request body."""


def application(environ, start_response):
    start_response('200 OK', [])
    yield b'begun '
    yield environ['wsgi.input'].read()
