"""Writes down why its process ends, and ends a thread that would be waited for otherwise."""
import os
import threading

import mod_wsgi

PLACE = os.environ['LAST_WORDS'] + mod_wsgi.process_group + mod_wsgi.application_group
stopping = threading.Event()
threading.Thread(target=stopping.wait, daemon=False).start()


@mod_wsgi.subscribe_shutdown
def stop(event, *, shutdown_reason):
    with open(PLACE, 'a') as file:
        file.write(f'{event} {shutdown_reason};')
    stopping.set()


def application(environ, start_response):
    if environ['PATH_INFO'] == '/until-the-end':
        print('waits for the end', file=environ['wsgi.errors'])
        stopping.wait()
    start_response('200 OK', [])
    return [str(os.getpid()).encode()]
