"""Divides one by three with as many digits as the query says, and again on a thread of its own."""
import contextvars
import decimal
import threading

digits = contextvars.ContextVar('digits', default=28)


def third():
    # Of a request that wants the usual 28 digits nothing is set.
    if digits.get() != 28:
        decimal.getcontext().prec = digits.get()
    return str(decimal.Decimal(1) / 3)


def application(environ, start_response):
    before = digits.get()
    digits.set(int(environ['QUERY_STRING']))
    found = []
    thread = threading.Thread(target=lambda: found.append(third()))
    thread.start()
    found.append(third())
    thread.join()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{before} {third()} {" ".join(sorted(found, key=len))}'.encode()]
