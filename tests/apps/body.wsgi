"""Answers with the request body, or says why it cannot be read."""


def application(environ, start_response):
    try:
        body = environ['wsgi.input'].read()
    except OSError as error:
        body = f'OSError: {error}'.encode()
    start_response('200 OK', [])
    return [body]
