"""A hook script for tests: what the user or the query string says, it answers."""
import hashlib
import os
import time

import mod_wsgi


def asked(environ):
    return dict(pair.split('=') for pair in environ['QUERY_STRING'].split('&') if '=' in pair)


def note(environ, what):
    print(f'asked {what} in {environ["mod_wsgi.process_group"]}:{os.getpid()}', file=environ['wsgi.errors'])


def answer(word):
    if word == 'raise':
        raise KeyError('secret of the hook')
    if word == 'sleep':
        print('asked to sleep')
        time.sleep(30)
    if word == 'die':
        os.kill(os.getpid(), 9)
    return {'yes': True, 'no': False, 'none': None, 'one': 1, 'empty': '', 'text': 'x', 'bytes': b'\xff'}.get(word, word)


def allow_access(environ, host):
    note(environ, f'access for {host}')
    return answer(asked(environ).get('access', 'yes'))


def check_password(environ, user, password):
    note(environ, f'password of {user[:50]!r} with {len(password)} characters')
    if user == 'eve':
        return answer(password)
    return {'anna': password == 'gräßlich', 'bob': password == 'pw'}.get(user)


def get_realm_hash(environ, user, realm):
    note(environ, f'hash of {user!r} for {realm!r}')
    if user == 'eve':
        return answer(asked(environ).get('hash', 'none'))
    if user == 'bob':
        return hashlib.md5(f'bob:{realm}:pw'.encode()).hexdigest()
    return None


def groups_for_user(environ, user):
    note(environ, f'groups of {user!r}')
    word = asked(environ).get('groups', 'staff')
    return {'staff': ['people', b'staff'], 'nobody': [], 'number': [1], 'generator': (g for g in ['staff'])}.get(
        word, word if word == 'text' else answer(word))


def check_authn(environ):
    note(environ, 'who it is')
    word = asked(environ).get('authn', 'token')
    token = environ.get('HTTP_AUTHORIZATION', '').removeprefix('Bearer ')
    if word == 'token':
        return mod_wsgi.User(token, env={'TENANT': 'blue'}, notes={'level': '3'}) if token else mod_wsgi.Deny(
            401, 'no token\n', [('WWW-Authenticate', 'Bearer realm="test"')])
    return {'name': 'carl', 'none': None, 'deny': mod_wsgi.Deny(), 'teapot': mod_wsgi.Deny(418, b'short and stout'),
            'form': mod_wsgi.Deny(200, '<form>', [('Content-Type', 'text/html'), ('Set-Cookie', 'a=b')]),
            'redirect': mod_wsgi.Redirect('https://sso.test/?back=1', headers=[('Set-Cookie', 'c=d')]),
            'true': True, 'large': mod_wsgi.Deny(403, 'x' * 8193), 'split': mod_wsgi.User('a\nb'),
            'header': mod_wsgi.Deny(403, '', [('X-A', 'b\r\nc')]), 'status': mod_wsgi.Deny(700)}.get(word) if word in (
                'name', 'none', 'deny', 'teapot', 'form', 'redirect', 'true', 'large', 'split', 'header',
                'status') else answer(word)
