"""Says what a request tells of its body's length and form, and how long that is."""


def application(environ, start_response):
    told = [environ.get(key, '-') for key in
            ('CONTENT_LENGTH', 'HTTP_TRANSFER_ENCODING', 'HTTP_CONTENT_ENCODING')]
    body = environ['wsgi.input'].read()
    start_response('200 OK', [])
    return [' '.join(told + [str(len(body))]).encode()]
