"""Handles files: says for which, and when it was asked whether it is to be reloaded."""

asked = []


def reload_required(path):
    asked.append(path)
    return False


def handle_request(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    lines = ''.join(f'{key}={value}\n' for key, value in sorted(environ.items()))
    return [b'\n', lines.encode('latin-1'), f'asked={asked[-1:]}\n'.encode()]
