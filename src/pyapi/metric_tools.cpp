#include "pyapi/metric_tools.h"

namespace pyhost::pyapi {
namespace {

using python::Ref;

constexpr char kToolsSource[] = R"python(
import functools
import time


class Tool:
    __module__ = 'mod_wsgi'

    def __call__(self, function):
        @functools.wraps(function)
        def measured(*args, **kwargs):
            with self.another():
                return function(*args, **kwargs)

        return measured


class Timer(Tool):
    """Notes how long it is held, in seconds."""

    def __init__(self, note):
        self._note = note

    def another(self):
        return Timer(self._note)

    def __enter__(self):
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_):
        self._note(time.perf_counter() - self._began)


class ExceptionCounter(Tool):
    """Counts the exceptions of a class that leave it."""

    def __init__(self, count, exception=Exception):
        self._count = count
        self._exception = exception

    def another(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and issubclass(kind, self._exception):
            self._count()


class InProgress(Tool):
    """Adds one while it is held."""

    def __init__(self, begin, end):
        self._begin = begin
        self._end = end

    def another(self):
        return self

    def __enter__(self):
        self._begin()
        return self

    def __exit__(self, *_):
        self._end()
)python";

constexpr char kTools[] = "_metric_tools";

// Made for the first who asks.
Ref tools_of(PyObject* module) {
  PyObject* names = PyModule_GetDict(module);
  if (PyObject* known = PyDict_GetItemString(names, kTools)) return Ref::share(known);
  Ref tools = Ref::steal(PyDict_New());
  if (!tools || PyDict_SetItemString(tools.get(), "__builtins__", PyEval_GetBuiltins()) != 0) {
    return {};
  }
  const Ref code = Ref::steal(Py_CompileString(kToolsSource, "<mod_wsgi metrics>", Py_file_input));
  const Ref done =
      Ref::steal(code ? PyEval_EvalCode(code.get(), tools.get(), tools.get()) : nullptr);
  if (!done || PyDict_SetItemString(names, kTools, tools.get()) != 0) return {};
  return tools;
}

}  // namespace

Ref make_metric_tool(PyObject* module, const char* tool, PyObject* first,
                     PyObject* second_or_null) {
  const Ref tools = tools_of(module);
  PyObject* type = tools ? PyDict_GetItemString(tools.get(), tool) : nullptr;
  if (type == nullptr) return {};
  return Ref::steal(PyObject_CallFunctionObjArgs(type, first, second_or_null, nullptr));
}

}  // namespace pyhost::pyapi
