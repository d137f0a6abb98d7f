"""Starts another process in the way that the path names, and answers with what came of it."""
import multiprocessing
import os
import subprocess


def by_fork():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b'forked')
        os._exit(0)
    os.waitpid(child, 0)
    return os.read(reader, 100).decode()


def by_pool(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return str(pool.map(abs, [-1, 2, -3]))


WAYS = {'/subprocess': lambda: subprocess.run(['echo', 'hello'], capture_output=True,
                                              text=True, check=True).stdout.strip(),
        '/shell': lambda: subprocess.check_output('ls /proc/self/fd | wc -l', shell=True).decode(),
        '/fork': by_fork, '/pool/fork': lambda: by_pool('fork'),
        '/pool/spawn': lambda: by_pool('spawn')}


def application(environ, start_response):
    try:
        outcome = WAYS[environ['PATH_INFO']]()
    except (OSError, RuntimeError) as error:
        outcome = f'{type(error).__name__}: {error}'
    start_response('200 OK', [])
    return [outcome.strip().encode()]
