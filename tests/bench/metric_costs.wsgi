"""What it costs an application to measure: nanoseconds, the best of several runs, of which half is Python's
own part in the loop. Served by a worker or by httpd's own process: scripts/serve tests/bench/metric_costs.wsgi."""
import timeit

import mod_wsgi

LOOPS = 200_000

counter = mod_wsgi.counter('bench_total')
by_kind = mod_wsgi.counter('bench_by_kind_total', labels=('kind',))
gauge = mod_wsgi.gauge('bench_gauge')
histogram = mod_wsgi.histogram('bench_seconds')


class Nothing:
    def inc(self):
        pass


def costs():
    inc, observe, set_gauge, labels = counter.inc, histogram.observe, gauge.set, by_kind.labels
    yield 'a method of Python that does nothing', Nothing().inc
    yield 'counter.inc()', inc
    yield 'counter.labels("a").inc()', lambda: labels('a').inc()
    yield 'gauge.set(1)', lambda: set_gauge(1)
    yield 'histogram.observe(0.3)', lambda: observe(0.3)
    try:
        from prometheus_client import Counter, Histogram
    except ImportError:
        return
    client_counter = Counter('bench_client', '')
    client_histogram = Histogram('bench_client_seconds', '')
    yield f'prometheus_client: Counter.inc() ({type(client_counter._value).__name__})', client_counter.inc
    yield 'prometheus_client: Histogram.observe(0.3)', lambda: client_histogram.observe(0.3)


def application(environ, start_response):
    lines = [f'{min(timeit.repeat(function, number=LOOPS, repeat=7)) / LOOPS * 1e9:6.0f} ns  {what}\n'
             for what, function in costs()]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [''.join(lines).encode()]
