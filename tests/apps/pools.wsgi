"""Has numbers squared by other processes: which and how says the path."""
import multiprocessing
import operator
from concurrent.futures import ProcessPoolExecutor


def square(number):
    return number * number


def by_pool(method, function):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(function, [1, 2])


def by_futures(method, function):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        return list(executor.map(function, [1, 2]))


def application(environ, start_response):
    way, function, method = environ['PATH_INFO'].split('/')[1:]
    start_response('200 OK', [])
    run = {'pool': by_pool, 'futures': by_futures}[way]
    return [str(run(method, {'own': square, 'library': operator.neg}[function])).encode()]
