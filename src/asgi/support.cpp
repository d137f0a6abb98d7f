#include "asgi/support.h"

#include "python/error.h"

namespace pyhost::asgi {

using python::Attached;
using python::Ref;

namespace {

constexpr char kSource[] = R"python(
def _takes(application, count):
    import inspect
    try:
        inspect.signature(application).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def asgi_protocol_of(application):
    import functools
    import inspect

    is_coroutine_function = inspect.iscoroutinefunction
    function = application
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isclass(function):
        calls = is_coroutine_function(getattr(function, '__call__', None))
        return 'asgi2' if calls else 'wsgi'
    if is_coroutine_function(function):
        return 'asgi'
    if is_coroutine_function(getattr(function, '__call__', None)):
        return 'asgi'
    is_function = inspect.isfunction(function) or inspect.ismethod(function)
    if is_function and _takes(application, 1) and not _takes(application, 2):
        return 'asgi2'
    return 'wsgi'


async def as_coroutine(awaitable):
    return await awaitable


def new_event_loop(kind, may_detect):
    import asyncio

    loop = None
    if kind == 'uvloop' or (kind == 'detected' and may_detect):
        try:
            import uvloop
        except ImportError:
            if kind == 'uvloop':
                raise
        else:
            loop = uvloop.new_event_loop()
    if loop is None:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def close_event_loop(loop):
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.set_event_loop(None)
)python";

}  // namespace

base::Result<> install_asgi_support(Attached& py) {
  PyObject* const names = PyModule_GetDict(py.interpreter().support());
  const Ref code =
      Ref::steal(Py_CompileString(kSource, "<mod_pyhost ASGI support>", Py_file_input));
  const Ref done = Ref::steal(code ? PyEval_EvalCode(code.get(), names, names) : nullptr);
  if (done) return {};
  return base::fail("the ASGI support failed: " + python::PythonError::take(py).traceback(py));
}

Ref support_function(Attached& py, const char* name) {
  return Ref::steal(PyObject_GetAttrString(py.interpreter().support(), name));
}

gateway::Protocol protocol_of(Attached& py, PyObject* application) {
  const Ref name = Ref::steal(
      PyObject_CallMethod(py.interpreter().support(), "asgi_protocol_of", "O", application));
  const std::string text =
      name && PyUnicode_Check(name.get()) ? python::to_utf8(py, name.get()) : std::string();
  python::discard_error(py);
  if (text == "asgi") return gateway::Protocol::asgi;
  return text == "asgi2" ? gateway::Protocol::asgi2 : gateway::Protocol::wsgi;
}

}  // namespace pyhost::asgi
