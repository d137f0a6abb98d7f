"""How the request came."""


def application(environ, start_response):
    start_response('200 OK', [])
    return [f"{environ['wsgi.url_scheme']} {environ['SERVER_PROTOCOL']} "
            f"HTTPS {environ.get('HTTPS', 'absent')}".encode()]
