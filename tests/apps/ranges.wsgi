"""Bodies of several kinds, with the Accept-Ranges that the query asks for."""
import tempfile


def application(environ, start_response):
    path, accept = environ['PATH_INFO'], environ['QUERY_STRING'].partition('=')[2]
    start_response('200 OK', [('Accept-Ranges', accept)] if accept else [])
    if path == '/file':
        file = tempfile.TemporaryFile()
        file.write(b'0123456789' * 30000)
        file.seek(0)
        return environ['wsgi.file_wrapper'](file)
    if path == '/large':
        return [b'x' * 300000]
    if path == '/generator':
        return (b'0123456789' for _ in range(3))
    return [b'0123456789']
