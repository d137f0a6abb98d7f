"""Writes down how its interpreter ends: a thread that has to be waited for, then atexit."""
import atexit
import os
import threading

from mod_wsgi import application_group, process_group

stopping = threading.Event()


def say(words):
    with open(os.environ['LAST_WORDS'] + process_group + application_group, 'a') as file:
        file.write(words)


def work():
    stopping.wait()
    say('thread, ')


threading._register_atexit(stopping.set)
atexit.register(say, 'atexit')
threading.Thread(target=work, daemon=False).start()


def application(environ, start_response):
    start_response('200 OK', [])
    return [b'well']
