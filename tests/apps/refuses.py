"""Lets in who asks for nothing below /facts/secret."""


def allow_access(environ, host):
    return not environ['REQUEST_URI'].startswith('/facts/secret')
