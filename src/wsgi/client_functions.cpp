#include "wsgi/client_functions.h"

#include <string>
#include <vector>

#include "python/native_type.h"
#include "wsgi/header_list.h"
#include "wsgi/response_rules.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::DetachScope;
using python::Ref;

// Headers with texts of their own: the application may change its list while they are sent.
struct OwnHeader {
  std::string name;
  std::string value;
};

// False with an exception pending.
bool take_headers(PyObject* list, std::vector<OwnHeader>& headers) {
  return for_each_header(list, [&](std::string_view name, std::string_view value) {
    headers.push_back({std::string(name), std::string(value)});
    return true;
  });
}

// The functions' self is an ambient stream, which knows whose context it is.
PyObject* early_hints(PyObject* self, PyObject* list) {
  return python::py_entry([&]() -> PyObject* {
    python::ContextRequest request(self);
    std::vector<OwnHeader> own;
    if (!request || !take_headers(list, own)) return nullptr;
    const std::vector<gateway::Header> headers = [&own] {
      std::vector<gateway::Header> views;
      for (const auto& [name, value] : own) views.push_back({name, value});
      return views;
    }();
    if (raise_if_failed(gateway::check_early_hints(headers))) return nullptr;
    if (request->committed()) {
      PyErr_SetString(PyExc_RuntimeError, "the response headers have already been sent");
      return nullptr;
    }
    {
      const DetachScope detached(request.py());
      request->send_early_hints(headers);
    }
    Py_RETURN_NONE;
  });
}

PyObject* client_disconnected(PyObject* self, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    python::ContextRequest request(self);
    if (!request) return nullptr;
    const auto gone = [&request] {
      const DetachScope detached(request.py());
      return request->client_gone();
    };
    return PyBool_FromLong(gone());
  });
}

PyMethodDef early_hints_function = {
    "early_hints", early_hints, METH_O,
    "early_hints(headers, /)\n--\n\n"
    "Send headers that the response will have, a list of (name, value), with status 103."};

PyMethodDef client_disconnected_function = {
    "client_disconnected", client_disconnected, METH_NOARGS,
    "client_disconnected()\n--\n\n"
    "Whether the client has gone, as far as can be seen without waiting."};

Ref make(Attached& py, const python::LogStreams& streams, PyMethodDef& function) {
  const Ref stream = streams.make_raw_ambient(py, "<environ>");
  return Ref::steal(stream ? PyCFunction_New(&function, stream.get()) : nullptr);
}

}  // namespace

Ref make_early_hints(Attached& py, const python::LogStreams& streams) {
  return make(py, streams, early_hints_function);
}

Ref make_client_disconnected(Attached& py, const python::LogStreams& streams) {
  return make(py, streams, client_disconnected_function);
}

}  // namespace pyhost::wsgi
