"""Works for a while, or as long as X-Seconds says, then answers with the request's identity; a stamp
says which process did. The file DIARY gets a line when a request begins and when it ends."""
import os
import time


def note(environ, event):
    if 'DIARY' in environ:
        with open(environ['DIARY'], 'a') as diary:
            diary.write(f'{event} {environ["HTTP_X_ID"]}\n')


def labour(environ):
    identity = environ['QUERY_STRING'] + environ['wsgi.input'].read().decode('ascii')
    time.sleep(float(environ.get('HTTP_X_SECONDS') or 0.005 + hash(identity) % 16 / 1000))
    return identity.encode('ascii')


def application(environ, start_response):
    note(environ, 'begun')
    try:
        identity = labour(environ)
    finally:
        note(environ, 'ended')
    start_response('200 OK', [('X-Id', environ.get('HTTP_X_ID', '')), ('X-Pid', str(os.getpid()))])
    return [identity]
