#include "pyapi/annotations.h"

#include <optional>
#include <string>
#include <utility>

#include "python/native_type.h"
#include "python/ref.h"

namespace pyhost::pyapi {
namespace {

using gateway::Annotation;
using python::Attached;
using python::Ref;

// Nothing with an exception pending.
std::optional<std::string> text_of(PyObject* value, const char* what) {
  if (PyBytes_Check(value)) {
    return std::string(PyBytes_AS_STRING(value), std::size_t(PyBytes_GET_SIZE(value)));
  }
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %.200s", what,
                 Py_TYPE(value)->tp_name);
    return std::nullopt;
  }
  Py_ssize_t bytes = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
  if (text == nullptr) return std::nullopt;
  return std::string(text, static_cast<std::size_t>(bytes));
}

// The functions' self is an ambient stream, which knows whose context it is.
PyObject* annotate(PyObject* self, Annotation annotation) {
  python::ContextRequest request(self);
  if (!request) return nullptr;
  const auto set = request->notes().set(std::move(annotation));
  if (set) return Py_NewRef(Py_None);
  PyErr_SetString(PyExc_ValueError, set.error().sentence.c_str());
  return nullptr;
}

PyObject* set_user(PyObject* self, PyObject* name) {
  return python::py_entry([&]() -> PyObject* {
    auto user = text_of(name, "the name of a user");
    if (!user) return nullptr;
    return annotate(self, {Annotation::Kind::user, "", *std::move(user)});
  });
}

PyObject* set_pair(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                   const char* function, Annotation::Kind kind) {
  return python::py_entry([&]() -> PyObject* {
    if (count != 2) {
      PyErr_Format(PyExc_TypeError, "%s() takes a name and a value (%zd given)", function, count);
      return nullptr;
    }
    auto name = text_of(arguments[0], "the name");
    auto value = name ? text_of(arguments[1], "the value") : std::nullopt;
    if (!value) return nullptr;
    return annotate(self, {kind, *std::move(name), *std::move(value)});
  });
}

PyObject* set_note(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return set_pair(self, arguments, count, "set_note", Annotation::Kind::note);
}

PyObject* set_variable(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return set_pair(self, arguments, count, "set_variable", Annotation::Kind::variable);
}

PyMethodDef functions[] = {
    {"set_user", set_user, METH_O,
     "set_user(name, /)\n--\n\n"
     "Tell httpd who has sent the request: %u of its access log."},
    {"set_note", python::method(set_note), METH_FASTCALL,
     "set_note(name, value, /)\n--\n\n"
     "Give httpd a note of the request: %{name}n of its access log."},
    {"set_variable", python::method(set_variable), METH_FASTCALL,
     "set_variable(name, value, /)\n--\n\n"
     "Give httpd a variable of the request: %{name}e of its access log, and of Header."}};

}  // namespace

bool add_annotations(Attached& py, PyObject* module, const python::LogStreams& streams) {
  const Ref stream = streams.make_raw_ambient(py, "<mod_wsgi>");
  if (!stream) return false;
  for (PyMethodDef& function : functions) {
    const Ref object = Ref::steal(PyCFunction_New(&function, stream.get()));
    if (!object || PyObject_SetAttrString(module, function.ml_name, object.get()) != 0)
      return false;
  }
  return true;
}

}  // namespace pyhost::pyapi
