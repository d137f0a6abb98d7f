#include "asgi/support.h"

#include "python/compat.h"
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

    function = application
    while isinstance(function, functools.partial):
        function = function.func
    is_class = inspect.isclass(function)
    candidates = [getattr(function, '__call__', None)]
    if not is_class:
        candidates.append(function)
    if any(map(inspect.iscoroutinefunction, candidates)):
        if is_class:
            return 'asgi2'
        is_wsgi = _takes(application, 2) and not _takes(application, 3)
        return 'wsgi' if is_wsgi else 'asgi'
    if _takes(application, 2):
        return 'wsgi'
    if _takes(application, 3):
        return 'asgi'
    is_function = inspect.isfunction(function) or inspect.ismethod(function)
    return 'asgi2' if is_function and _takes(application, 1) else 'wsgi'


def _frames_of(awaited):
    while awaited is not None:
        for kind in 'cr', 'gi', 'ag':
            frame = getattr(awaited, kind + '_frame', None)
            if frame is not None:
                yield frame, frame.f_lineno
                break
        else:
            return
        awaited = getattr(awaited, 'gi_yieldfrom' if kind == 'gi' else kind + '_await', None)


def task_stacks(loop):
    import asyncio
    import traceback

    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name()))
    running = asyncio.current_task(loop)
    stacks = []
    for task in tasks[:50]:
        if task is running:
            continue
        frames = traceback.StackSummary.extract(_frames_of(task.get_coro()))
        stack = ''.join(frames.format()).rstrip('\n')
        if stack:
            stacks.append(f'task {task.get_name()}, which waits, most recent call last:\n{stack}')
    if len(tasks) > 50:
        stacks.append(f'and {len(tasks) - 50} more tasks')
    return '\n'.join(stacks)


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

// False with an exception pending.
bool add_source(PyObject* support) {
  PyObject* const names = PyModule_GetDict(support);
  const Ref code =
      Ref::steal(Py_CompileString(kSource, "<mod_pyhost ASGI support>", Py_file_input));
  return code && Ref::steal(PyEval_EvalCode(code.get(), names, names));
}

}  // namespace

Ref support_function(Attached& py, const char* name) {
  PyObject* const support = py.interpreter().support();
  const Ref text = Ref::steal(PyUnicode_InternFromString(name));
  Ref function;
  if (!text) return {};
  const int found = python::get_optional_attribute(support, text.get(), function);
  if (found != 0 || !add_source(support)) return function;
  return Ref::steal(PyObject_GetAttr(support, text.get()));
}

gateway::Protocol protocol_of(Attached& py, PyObject* application) {
  const Ref function = support_function(py, "asgi_protocol_of");
  const Ref name =
      Ref::steal(function ? PyObject_CallOneArg(function.get(), application) : nullptr);
  const std::string text =
      name && PyUnicode_Check(name.get()) ? python::to_utf8(py, name.get()) : std::string();
  python::discard_error(py);
  if (text == "asgi") return gateway::Protocol::asgi;
  return text == "asgi2" ? gateway::Protocol::asgi2 : gateway::Protocol::wsgi;
}

}  // namespace pyhost::asgi
