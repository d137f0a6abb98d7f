"""Writes to the log in every way that is hard for one."""
import sys


class Wide(Exception):
    def __str__(self):
        return 'wide ' + 'x' * 20000 + ' end-of-text'


def application(environ, start_response):
    if environ['PATH_INFO'] == '/wide':
        raise Wide
    print('%s %n one\ntwo', file=environ['wsgi.errors'])
    print('three', file=sys.stderr)
    start_response('200 OK', [])
    return [b'done']
