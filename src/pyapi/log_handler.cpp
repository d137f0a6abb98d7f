#include "pyapi/log_handler.h"

#include "pyapi/log_levels.h"
#include "pyapi/module.h"
#include "pyapi/request_data.h"
#include "python/error.h"
#include "python/log_stream.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::Ref;

constexpr char kSource[] = R"python(
import logging


def parts(record):
    lines = []
    if record.exc_info:
        lines.append(logging.Formatter().formatException(record.exc_info))
    elif record.exc_text:
        lines.append(record.exc_text)
    if record.stack_info:
        lines.append(record.stack_info)
    return record.getMessage(), '\n'.join(lines)


class LogHandler(logging.Handler):
    """Sends records to httpd's error log: to that of the request they belong to, if there is one."""

    def emit(self, record):
        try:
            if not wants(record.levelno):
                return
            record.request_id, record.trace_id = identity()
            text, traceback = parts(record) if in_parts else (self.format(record), '')
            log(record.levelno, text, traceback, record.name, record.pathname, record.lineno)
        except RecursionError:  # as the handlers of logging have it
            raise
        except Exception:
            self.handleError(record)
)python";

// These functions have an ambient stream as their self, which knows whose context it is.

PyObject* wants(PyObject* self, PyObject* number) {
  return python::py_entry([&]() -> PyObject* {
    const auto level = level_of(number);
    if (!level) return nullptr;
    python::ContextLog log(self);
    return PyBool_FromLong(log.sink().wants(*level));
  });
}

std::string_view or_dash(std::string_view id) noexcept {
  return id.empty() ? "-" : id;
}

PyObject* identity(PyObject* self, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    const python::ContextRequest request(self, python::ContextRequest::Absence::accepted);
    std::string_view id, trace;
    if (request) {
      id = id_of(request->head());
      trace = trace_id_of(request->head());
    }
    return Py_BuildValue("(s#s#)", or_dash(id).data(), Py_ssize_t(or_dash(id).size()),
                         or_dash(trace).data(), Py_ssize_t(or_dash(trace).size()));
  });
}

PyObject* log_record(PyObject* self, PyObject* const* arguments, Py_ssize_t) {
  return python::py_entry([&]() -> PyObject* {
    const auto level = level_of(arguments[0]);
    const long line = level ? PyLong_AsLong(arguments[5]) : -1;
    if (line == -1 && PyErr_Occurred() != nullptr) return nullptr;
    python::ContextLog log(self);
    const auto text_of = [&log, arguments](std::size_t i) {
      return python::to_utf8(log.py(), arguments[i]);
    };
    const std::string text = text_of(1), traceback = text_of(2), logger = text_of(3),
                      file = text_of(4);
    {
      const python::DetachScope detached(log.py());
      log.sink().log_application({.level = *level,
                                  .text = text,
                                  .traceback = traceback,
                                  .logger = logger,
                                  .file = file,
                                  .line = static_cast<unsigned>(std::max(line, 0L))});
    }
    Py_RETURN_NONE;
  });
}

PyMethodDef handler_functions[] = {{"wants", wants, METH_O, nullptr},
                                   {"identity", identity, METH_NOARGS, nullptr},
                                   {"log", python::method(log_record), METH_FASTCALL, nullptr}};

bool add_functions(PyObject* names, PyObject* stream) {
  for (PyMethodDef& function : handler_functions) {
    const Ref object = Ref::steal(PyCFunction_New(&function, stream));
    if (!object || PyDict_SetItemString(names, function.ml_name, object.get()) != 0) return false;
  }
  return true;
}

}  // namespace

Ref make_log_handler(Attached&, PyObject* raw_ambient, const gateway::Logging& logging) {
  PyObject* const in_parts = logging.is_json() ? Py_True : Py_False;
  const Ref names =
      Ref::steal(Py_BuildValue("{s:s,s:O,s:O}", "__name__", kModuleName, "__builtins__",
                               PyEval_GetBuiltins(), "in_parts", in_parts));
  if (!names || !add_functions(names.get(), raw_ambient)) return {};
  const Ref code = Ref::steal(Py_CompileString(kSource, "<mod_wsgi>", Py_file_input));
  const Ref done =
      Ref::steal(code ? PyEval_EvalCode(code.get(), names.get(), names.get()) : nullptr);
  if (!done) return {};
  return Ref::share(PyDict_GetItemString(names.get(), "LogHandler"));
}

bool add_root_handler(Attached&) {
  const Ref module = Ref::steal(PyImport_ImportModule(kModuleName));
  const Ref logging = Ref::steal(module ? PyImport_ImportModule("logging") : nullptr);
  const Ref root =
      Ref::steal(logging ? PyObject_CallMethod(logging.get(), "getLogger", nullptr) : nullptr);
  const Ref handler =
      Ref::steal(root ? PyObject_CallMethod(module.get(), "LogHandler", nullptr) : nullptr);
  return handler && Ref::steal(PyObject_CallMethod(root.get(), "addHandler", "O", handler.get()));
}

}  // namespace pyhost::pyapi
