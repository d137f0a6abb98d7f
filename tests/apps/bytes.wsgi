def application(environ, start_response):
    keys = 'PATH_INFO', 'QUERY_STRING', 'HTTP_X_TEST', 'HTTP_COOKIE', 'HTTP_AUTHORIZATION'
    parts = [environ.get(key, '').encode('latin-1').hex() for key in keys]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(parts).encode()]
