"""Says so, and sleeps for as many seconds as the query says."""

import time


def application(environ, start_response):
    seconds = float(environ['QUERY_STRING'] or 0)
    print(f'sleeps for {seconds} s', file=environ['wsgi.errors'])
    time.sleep(seconds)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'awake']
