#include "pyapi/log_handler.h"

#include <algorithm>

#include "pyapi/module.h"
#include "python/error.h"
#include "python/log_stream.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using base::LogLevel;
using python::Attached;
using python::Ref;

constexpr char kSource[] = R"python(
import logging


class LogHandler(logging.Handler):
    """Sends records to httpd's error log: to that of the request they belong to, if there is one."""

    def emit(self, record):
        try:
            if wants(record.levelno):
                log(record.levelno, self.format(record), str(record.name), str(record.pathname), record.lineno)
        except RecursionError:  # as the handlers of logging have it
            raise
        except Exception:
            self.handleError(record)
)python";

// The levels of Python's `logging`.
LogLevel level_of(long number) noexcept {
  constexpr long kCritical = 50, kError = 40, kWarning = 30, kInfo = 20;
  if (number >= kCritical) return LogLevel::crit;
  if (number >= kError) return LogLevel::error;
  if (number >= kWarning) return LogLevel::warn;
  return number >= kInfo ? LogLevel::info : LogLevel::debug;
}

// Both functions have an ambient stream as their self, which knows whose context it is.
PyObject* wants(PyObject* self, PyObject* number) {
  return python::py_entry([&]() -> PyObject* {
    const long level = PyLong_AsLong(number);
    if (level == -1 && PyErr_Occurred() != nullptr) return nullptr;
    python::ContextLog log(self);
    return PyBool_FromLong(log.sink().wants(level_of(level)));
  });
}

// log(level, text, logger, file, line)
PyObject* log(PyObject* self, PyObject* const* arguments, Py_ssize_t) {
  return python::py_entry([&]() -> PyObject* {
    const long level = PyLong_AsLong(arguments[0]);
    const long line = PyLong_AsLong(arguments[4]);
    if (PyErr_Occurred() != nullptr) return nullptr;
    python::ContextLog log(self);
    const std::string text = python::to_utf8(log.py(), arguments[1]);
    const std::string logger = python::to_utf8(log.py(), arguments[2]);
    const std::string file = python::to_utf8(log.py(), arguments[3]);
    const python::DetachScope detached(log.py());
    log.sink().log_application({.level = level_of(level),
                                .text = text,
                                .traceback = {},
                                .logger = logger,
                                .file = file,
                                .line = static_cast<unsigned>(std::max(line, 0L))});
    return Py_NewRef(Py_None);
  });
}

PyMethodDef functions[] = {{"wants", wants, METH_O, nullptr},
                           {"log", python::method(log), METH_FASTCALL, nullptr}};

bool add_functions(PyObject* names, PyObject* stream) {
  for (PyMethodDef& function : functions) {
    const Ref object = Ref::steal(PyCFunction_New(&function, stream));
    if (!object || PyDict_SetItemString(names, function.ml_name, object.get()) != 0) return false;
  }
  return true;
}

}  // namespace

Ref make_log_handler(Attached&, PyObject* raw_ambient) {
  const Ref names = Ref::steal(
      Py_BuildValue("{s:s,s:O}", "__name__", kModuleName, "__builtins__", PyEval_GetBuiltins()));
  if (!names || !add_functions(names.get(), raw_ambient)) return {};
  const Ref code = Ref::steal(Py_CompileString(kSource, "<mod_wsgi>", Py_file_input));
  const Ref done =
      Ref::steal(code ? PyEval_EvalCode(code.get(), names.get(), names.get()) : nullptr);
  if (!done) return {};
  return Ref::share(PyDict_GetItemString(names.get(), "LogHandler"));
}

}  // namespace pyhost::pyapi
