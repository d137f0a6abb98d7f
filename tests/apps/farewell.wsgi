"""Leaves a file named after its application group in the folder FAREWELLS when it ends."""
import atexit
import os

from mod_wsgi import application_group


def say_farewell():
    with open(os.path.join(os.environ['FAREWELLS'], application_group), 'a') as file:
        file.write(f'{os.getpid()}\n')


atexit.register(say_farewell)


def application(environ, start_response):
    start_response('200 OK', [])
    return [str(os.getpid()).encode()]
