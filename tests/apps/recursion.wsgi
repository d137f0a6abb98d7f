"""Recurses without end, in the way that the path names, and says which exception ended it."""
import copy
import functools
import json
import pickle
import re


def plain(depth):
    return plain(depth + 1)


def through_sorted(depth):
    return sorted([depth], key=lambda value: through_sorted(value + 1))


def through_map(depth):
    return list(map(through_map, [depth + 1]))


def through_reduce(depth):
    return functools.reduce(lambda one, other: through_reduce(one), [depth, depth])


def through_sub(depth):
    return re.sub('a', lambda match: through_sub(depth + 1), 'a')


class Object:
    def __getattr__(self, name):
        return getattr(self, name)

    def __repr__(self):
        return '%r' % [self]


def nested():
    value = []
    for _ in range(100000):
        value = [value]
    return value


WAYS = {
    '/plain': lambda: plain(0), '/sorted': lambda: through_sorted(0),
    '/map': lambda: through_map(0), '/reduce': lambda: through_reduce(0),
    '/sub': lambda: through_sub(0), '/getattr': lambda: Object().x,
    '/repr': lambda: repr(Object()), '/nested-repr': lambda: repr(nested()),
    '/json': lambda: json.dumps(nested()), '/json-loads': lambda: json.loads('[' * 100000),
    '/pickle': lambda: pickle.dumps(nested()), '/deepcopy': lambda: copy.deepcopy(nested()),
    '/compare': lambda: nested() == nested(),
}


def application(environ, start_response):
    outcome = 'no exception'
    try:
        WAYS[environ['PATH_INFO']]()
    except Exception as error:
        outcome = type(error).__name__
    start_response('200 OK', [])
    return [outcome.encode()]
