"""Works for a while, then answers with the request's identity; a stamp says which process did."""
import os
import time


def application(environ, start_response):
    identity = environ['QUERY_STRING'] + environ['wsgi.input'].read().decode('ascii')
    time.sleep(0.005 + hash(identity) % 16 / 1000)
    start_response('200 OK', [('X-Id', environ.get('HTTP_X_ID', '')), ('X-Pid', str(os.getpid()))])
    return [identity.encode('ascii')]
