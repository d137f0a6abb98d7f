"""Starts a program in the way that the path names, and answers with the signals it has blocked; writes
the same down at the end of the process."""
import atexit
import os
import subprocess
import tempfile
import threading

import mod_wsgi

LOOK = ['/bin/grep', 'SigBlk', '/proc/self/status']
PLACE = f"{os.environ['PLACE']}/{mod_wsgi.process_group}-{mod_wsgi.application_group}"


def by_subprocess(**options):
    return subprocess.check_output(LOOK, text=True, **options)


def to_file(start):
    with tempfile.NamedTemporaryFile('r') as file:
        start(file.name)
        return file.read()


def spawn(path):
    opening = [(os.POSIX_SPAWN_OPEN, 1, path, os.O_WRONLY, 0)]
    os.waitpid(os.posix_spawn(LOOK[0], LOOK, os.environ, file_actions=opening), 0)


def on_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(by_subprocess()))
    thread.start()
    thread.join()
    return found[0]


def terminated():
    child = subprocess.Popen(['sleep', '1000'])
    child.terminate()
    return str(child.wait())


WAYS = {'/subprocess': by_subprocess, '/session': lambda: by_subprocess(start_new_session=True),
        '/popen': lambda: os.popen(' '.join(LOOK)).read(), '/thread': on_a_thread,
        '/system': lambda: to_file(lambda path: os.system(f"{' '.join(LOOK)} > {path}")),
        '/spawn': lambda: to_file(spawn), '/terminated': terminated}


def note(what):
    with open(PLACE, 'a') as file:
        file.write(what + by_subprocess().split()[1] + ' ')


mod_wsgi.subscribe_shutdown(lambda *event, **more: note('callback '))
atexit.register(note, 'atexit ')


def application(environ, start_response):
    start_response('200 OK', [])
    return [WAYS[environ['PATH_INFO']]().strip().encode()]
