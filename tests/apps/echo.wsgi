"""Says back which request this is, as the server tells it in four places."""


def application(environ, start_response):
    body = environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain'),
                              ('X-Id', environ.get('HTTP_X_ID', ''))])
    group = environ['mod_wsgi.application_group']
    return [f"{group} {environ['PATH_INFO']} {environ['QUERY_STRING']} ".encode(), body]
