#include "python/support_sources.h"

namespace pyhost::python {

// What failures mean that many have met: a sentence for the log.
const char kAdviceSource[] = R"python(
import os
import re
import site
import sys
from importlib.machinery import PathFinder


def lies_in(name, folder):
    spec = PathFinder.find_spec(name, [folder])
    return spec is not None and spec.loader is not None


def where_to_name_folders():
    in_a_group = getattr(sys.modules.get('mod_wsgi'), 'process_group', '')
    return 'python-path= of its WSGIDaemonProcess' if in_a_group else 'WSGIPythonPath'


# Python starts isolated here.
def advice_on_missing_module(error):
    name = (getattr(error, 'name', None) or '').partition('.')[0]
    if not name or name in sys.modules:
        return ''
    for folder in os.environ.get('PYTHONPATH', '').split(':'):
        if folder and lies_in(name, folder):
            return (f'{name} is in {folder}, which the variable PYTHONPATH names, but applications here '
                    f'do not heed it; name the folder in {where_to_name_folders()}')
    folder = site.getusersitepackages()
    if folder and lies_in(name, folder):
        return (f'{name} is in {folder}, where pip install --user puts packages, but applications here do '
                f'not look there; install it into the environment of WSGIPythonHome or python-home=, or '
                f'name the folder in {where_to_name_folders()}')
    return ''


def is_asynchronous(application):
    import inspect

    calls = [application, getattr(type(application), '__call__', None)]
    if any(map(inspect.iscoroutinefunction, calls)) or any(map(inspect.isasyncgenfunction, calls)):
        return True
    try:
        return next(iter(inspect.signature(application).parameters), '') == 'scope'
    except (TypeError, ValueError):
        return False


# Raised by the call itself, or by that of an application that a middleware has wrapped.
def advice_on_type_error(error, application):
    of_asgi = "missing 1 required positional argument: 'send'"
    of_result = re.match("'(coroutine|async_generator)' object is not iterable", str(error))
    outside = error.__traceback__ is None
    if not str(error).endswith(of_asgi) and not (outside and (of_result or is_asynchronous(application))):
        return ''
    return ('this is an asynchronous (ASGI) application, and what is run here is WSGI; give it a process '
            'group (WSGIDaemonProcess, and process-group= behind the alias) whose interface= is not wsgi')


def advice_on_one(error, application):
    if isinstance(error, ModuleNotFoundError):
        return advice_on_missing_module(error)
    if isinstance(error, TypeError) and application is not None:
        return advice_on_type_error(error, application)
    if 'only works in main thread' in str(error):
        return ('signal handlers can be set only by a script that is imported into the main interpreter '
                '(WSGIApplicationGroup %{GLOBAL}), while it is imported, with WSGIRestrictSignal Off')
    if isinstance(error, RuntimeError) and 'no current event loop in thread' in str(error):
        return 'a thread that serves requests has no event loop of its own; use asyncio.run()'
    return ''


def advice_on(error, application):
    seen = set()
    while error is not None and id(error) not in seen:
        advice = advice_on_one(error, application)
        if advice:
            return advice
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return ''
)python";

}  // namespace pyhost::python
