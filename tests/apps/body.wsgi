"""Answers with the request body, or says why it cannot be read; /strict does not."""


def application(environ, start_response):
    try:
        body = environ['wsgi.input'].read()
    except OSError as error:
        if environ['PATH_INFO'] == '/strict':
            raise
        body = f'OSError: {error}'.encode()
    start_response('200 OK', [])
    return [body]
