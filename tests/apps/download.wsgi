"""Returns the file that the environment names, as a file."""


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/octet-stream')])
    return environ['wsgi.file_wrapper'](open(environ['DOWNLOAD'], 'rb'))
