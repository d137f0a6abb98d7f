"""Answers with what an expression in the query comes to, over what the module mod_wsgi tells; the path names
what is done before that."""
import json
import logging
import os
import time
import urllib.parse

import apache
import mod_wsgi

events = []
told = os.environ.get('TOLD')  # a folder


@mod_wsgi.subscribe_events
def note(event, **payload):
    events.append((event, payload))


@mod_wsgi.subscribe_signals
def note_signal(event, *, signame, signum):
    if told:
        with open(f'{told}/of-{mod_wsgi.application_group}', 'a') as file:
            file.write(f'{event} {signame} {signum};')


def named(name):
    return [payload for event, payload in events if event == name]


def say_hints(environ):
    environ['wsgi.early_hints']([('Link', '</a.css>; rel=preload'), ('X-Hint', 'one')])
    environ['wsgi.early_hints']([('Link', '</b.js>; rel=preload')])


def say_hints_and_read(environ):
    say_hints(environ)
    environ['wsgi.input'].read()


def log(environ):
    logger = logging.getLogger('shop')
    logger.setLevel(logging.DEBUG)
    logger.addHandler(mod_wsgi.LogHandler())
    logger.critical('a critical record')
    logger.warning('a warning record')
    logger.info('an info record')
    logger.debug('a debug record')


def wait_for_client(environ):
    gone = environ['mod_wsgi.client_disconnected']
    assert gone() is False
    print('waits for its client', file=environ['wsgi.errors'])
    while not gone():
        time.sleep(0.01)
    print('its client has gone', file=environ['wsgi.errors'])


def read_body(environ):
    environ['wsgi.input'].read()


def sleep(environ):
    time.sleep(0.05)


def fail(environ):
    raise ValueError('on purpose')


ACTIONS = {'/hints': say_hints, '/hints-and-read': say_hints_and_read, '/log': log, '/client': wait_for_client, '/read': read_body, '/sleep': sleep,
           '/fail': fail}


def application(environ, start_response):
    ACTIONS.get(environ['PATH_INFO'], lambda environ: None)(environ)
    query = urllib.parse.unquote(environ['QUERY_STRING'])
    body = json.dumps(eval(query) if query else None).encode()
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [body]
