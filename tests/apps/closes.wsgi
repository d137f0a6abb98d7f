"""Closes the descriptors of its process that X-Close names: numbers, or what they lead to."""
import os


def numbers(what):
    if not what:
        return []
    if what == 'all':
        return range(3, 1000)
    if what.isdecimal():
        return [int(what)]
    links = {int(n): os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')
             if os.path.lexists(f'/proc/self/fd/{n}')}
    return [number for number, link in links.items() if what in link]


def application(environ, start_response):
    for number in numbers(environ.get('HTTP_X_CLOSE', '')):
        try:
            os.close(number)
        except OSError:
            pass
    start_response('200 OK', [('X-Pid', str(os.getpid()))])
    return [b'still here']
