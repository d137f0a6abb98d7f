#include "pyapi/request_log.h"

#include "pyapi/log_levels.h"
#include "python/error.h"
#include "python/native_type.h"
#include "python/ref.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::Ref;

// Null with an exception pending.
Ref text_of(PyObject* message) {
  return PyUnicode_Check(message) ? Ref::share(message) : Ref::steal(PyObject_Str(message));
}

PyObject* request_log(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return python::py_entry([&]() -> PyObject* {
    if (count < 1 || count > 2) {
      PyErr_Format(PyExc_TypeError, "request_log() takes a message and a level (%zd given)", count);
      return nullptr;
    }
    const auto level = count == 2 ? level_of(arguments[1]) : base::LogLevel::info;
    const Ref message = level ? text_of(arguments[0]) : Ref();
    if (!message) return nullptr;
    python::ContextRequest request(self);
    if (!request) return nullptr;
    const std::string text = python::to_utf8(request.py(), message.get());
    {
      const python::DetachScope detached(request.py());
      request->log(*level, text);
    }
    Py_RETURN_NONE;
  });
}

PyMethodDef request_log_function = {
    "request_log", python::method(request_log), METH_FASTCALL,
    "request_log(message, level=20, /)\n--\n\n"
    "Write a record to the log of the request, at a level of logging."};

}  // namespace

bool add_request_log(Attached& py, PyObject* module, const python::LogStreams& streams) {
  const Ref stream = streams.make_raw_ambient(py, "<mod_wsgi>");
  const Ref object =
      Ref::steal(stream ? PyCFunction_New(&request_log_function, stream.get()) : nullptr);
  return object && PyObject_SetAttrString(module, request_log_function.ml_name, object.get()) == 0;
}

}  // namespace pyhost::pyapi
