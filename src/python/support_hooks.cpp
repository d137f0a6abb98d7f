// What check_authn() answers with: the classes of the module mod_wsgi, and plain tuples of them.

#include "python/support_sources.h"

namespace pyhost::python {

const char kHooksSource[] = R"python(
class User:
    """An answer of check_authn(environ): the request is this user's.

    env are variables of the request, for applications, CGI scripts and %{name}e; notes are for
    %{name}n.
    """

    __module__ = 'mod_wsgi'
    __slots__ = ('name', 'env', 'notes')

    def __init__(self, name, *, env=None, notes=None):
        self.name = name
        self.env = env
        self.notes = notes


class Deny:
    """An answer of check_authn(environ): the client gets this reply, and nothing else.

    Without a body httpd's own page, or that of an ErrorDocument, is sent. A str is sent as UTF-8;
    unless headers say otherwise it is text/plain.
    """

    __module__ = 'mod_wsgi'
    __slots__ = ('status', 'body', 'headers')

    def __init__(self, status=403, body=b'', headers=()):
        self.status = status
        self.body = body
        self.headers = headers


class Redirect(Deny):
    """An answer of check_authn(environ): the client is sent elsewhere."""

    __module__ = 'mod_wsgi'
    __slots__ = ()

    def __init__(self, url, status=302, headers=()):
        super().__init__(status, b'', [('Location', url), *headers])


def _as_bytes(value, what, encoding='utf-8'):
    if isinstance(value, str):
        return value.encode(encoding)
    if isinstance(value, bytes):
        return value
    raise TypeError(f'{what} must be str or bytes, not {type(value).__name__}')


def _pairs(values, what, encoding):
    items = values.items() if hasattr(values, 'items') else values
    pairs = []
    for name, value in items or ():
        pairs.append((_as_bytes(name, f'the name of {what}', 'ascii'),
                      _as_bytes(value, f'the value of {what}', encoding)))
    return pairs


def authn_answer(answer):
    if isinstance(answer, (str, User)):
        user = User(answer) if isinstance(answer, str) else answer
        return (_as_bytes(user.name, 'the name of a user'),
                _pairs(user.env, 'a variable', 'utf-8'), _pairs(user.notes, 'a note', 'utf-8'))
    if not isinstance(answer, Deny):
        raise TypeError(f'{type(answer).__name__} is none of None, str, mod_wsgi.User, '
                        'mod_wsgi.Deny and mod_wsgi.Redirect')
    if type(answer.status) is not int or not 0 < answer.status < 1000:
        raise ValueError('the status must be an int of three digits')
    headers = _pairs(answer.headers, 'a header', 'latin-1')
    body = _as_bytes(answer.body, 'the body')
    if body and not any(name.lower() == b'content-type' for name, _ in headers):
        headers.append((b'Content-Type', b'text/plain; charset=utf-8'))
    return answer.status, headers, body
)python";

}  // namespace pyhost::python
