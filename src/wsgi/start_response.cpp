#include "wsgi/start_response.h"

#include <fmt/format.h>
#include <structmember.h>

#include <cstddef>
#include <optional>
#include <string>

#include "python/compat.h"
#include "python/error.h"
#include "python/while_request_runs.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::Ref;
using python::RequestLink;

struct StartResponse {
  vectorcallfunc vectorcall;
  python::Interpreter* interpreter;
  python::SharedRequestLink link;
  // Valid while the link is open.
  Request* request;
  ScriptNames* told;
};

// The Latin-1 bytes of a str (PEP 3333, native strings); nothing with an exception pending.
std::optional<std::string_view> latin1_of(PyObject* text, const char* what) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(text)->tp_name);
    return std::nullopt;
  }
  if (PyUnicode_READY(text) != 0) return std::nullopt;
  if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
    Ref::steal(PyUnicode_AsLatin1String(text));  // raises the UnicodeEncodeError
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
                          std::size_t(PyUnicode_GET_LENGTH(text)));
}

bool raise_if_failed(const base::Result<>& result) {
  if (result) return false;
  PyErr_SetString(PyExc_ValueError, result.error().sentence.c_str());
  return true;
}

bool add_header(StartedResponse& response, PyObject* header) {
  if (!PyTuple_Check(header)) {
    PyErr_Format(PyExc_TypeError, "a response header must be a tuple (name, value), not %.200s",
                 Py_TYPE(header)->tp_name);
    return false;
  }
  if (PyTuple_GET_SIZE(header) != 2) {
    PyErr_Format(PyExc_ValueError,
                 "a response header must be a tuple (name, value), not of %zd items",
                 PyTuple_GET_SIZE(header));
    return false;
  }
  const auto name = latin1_of(PyTuple_GET_ITEM(header, 0), "a response header's name");
  if (!name) return false;
  const auto value = latin1_of(PyTuple_GET_ITEM(header, 1), "a response header's value");
  return value && !raise_if_failed(response.add_header(*name, *value));
}

// False with an exception pending.
bool fill(StartedResponse& response, PyObject* status, PyObject* headers) {
  const auto status_text = latin1_of(status, "status");
  if (!status_text || raise_if_failed(response.set_status(*status_text))) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    const Ref header = Ref::share(PyList_GET_ITEM(headers, i));
    if (!add_header(response, header.get())) return false;
  }
  return true;
}

// PEP 3333, error handling: what exc_info means depends on whether the head has left.
bool check_exc_info(const Request& request, PyObject* exc_info) {
  if (exc_info == nullptr || exc_info == Py_None) {
    if (!request.committed()) return true;
    PyErr_SetString(PyExc_RuntimeError, "the response headers have already been sent");
    return false;
  }
  if (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3) {
    PyErr_SetString(PyExc_TypeError, "exc_info must be the tuple that sys.exc_info() returns");
    return false;
  }
  if (!request.committed()) return true;
  PyObject* value = PyTuple_GET_ITEM(exc_info, 1);
  if (PyExceptionInstance_Check(value)) {
    python::raise_exception(Ref::share(value));
  } else {
    PyErr_SetString(PyExc_RuntimeError, "the response headers have already been sent");
  }
  return false;
}

// Calls `action` while the request lives; otherwise RuntimeError.
template <class F>
PyObject* with_request(PyObject* self, F action) {
  return python::while_request_runs<StartResponse>(
      self, "start_response() or write() was called after its request was completed", action);
}

PyObject* write(PyObject* self, PyObject* data) {
  return with_request(self, [&](Attached& py, StartResponse& start) -> PyObject* {
    Request& request = *start.request;
    if (!PyBytes_Check(data)) {
      PyErr_Format(PyExc_TypeError, "write() argument must be bytes, not %.200s",
                   Py_TYPE(data)->tp_name);
      return nullptr;
    }
    const std::string_view block(PyBytes_AS_STRING(data), std::size_t(PyBytes_GET_SIZE(data)));
    if (block.empty()) Py_RETURN_NONE;
    request.commit();
    bool heard;
    {
      const DetachScope detached(py);
      heard = request.send({&block, 1}, gateway::ReplyPart::Then::pause);
    }
    if (heard) Py_RETURN_NONE;
    PyErr_SetString(PyExc_ConnectionResetError, "the client no longer listens");
    return nullptr;
  });
}

PyMethodDef write_method = {"write", write, METH_O,
                            "Sends bytes of the body to the client at once."};

// status, headers and, by its place or name, exc_info. False with an exception pending.
bool check_arguments(Py_ssize_t positional, PyObject* keywords) {
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  const bool has_exc_info = named == 1 && PyUnicode_CompareWithASCIIString(
                                              PyTuple_GET_ITEM(keywords, 0), "exc_info") == 0;
  if (positional == 2 && (named == 0 || has_exc_info)) return true;
  if (positional == 3 && named == 0) return true;
  PyErr_SetString(PyExc_TypeError,
                  "start_response(status, headers, exc_info=None) takes 2 or 3 arguments, of which "
                  "only exc_info may be named");
  return false;
}

// Many applications ask for what is the server's to decide, in each of their replies.
void tell_dropped_header(Attached& py, StartResponse& start, const std::string& header) {
  const std::string script(start.request->target().script);
  if (header.empty() || !start.told->insert(script).second) return;
  const DetachScope detached(py);
  start.request->note(base::LogLevel::notice, base::Message::connection_header_dropped,
                      fmt::format("{} has set the header '{}', which was dropped", script, header));
}

PyObject* call(PyObject* self, PyObject* const* arguments, std::size_t flags, PyObject* keywords) {
  return with_request(self, [&](Attached& py, StartResponse& start) -> PyObject* {
    Request& request = *start.request;
    const Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (!check_arguments(count, keywords)) return nullptr;
    if (!PyList_Check(arguments[1])) {
      PyErr_Format(PyExc_TypeError, "the response headers must be a list, not %.200s",
                   Py_TYPE(arguments[1])->tp_name);
      return nullptr;
    }
    // A named argument lies behind the others.
    const bool has_exc_info =
        count == 3 || (keywords != nullptr && PyTuple_GET_SIZE(keywords) != 0);
    if (!check_exc_info(request, has_exc_info ? arguments[2] : nullptr)) return nullptr;
    StartedResponse response;
    if (!fill(response, arguments[0], arguments[1])) return nullptr;
    const std::string dropped = response.dropped_header();
    request.start(std::move(response));
    tell_dropped_header(py, start, dropped);
    return PyCFunction_New(&write_method, self);
  });
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET,
     offsetof(python::Native<StartResponse>, value) + offsetof(StartResponse, vectorcall), READONLY,
     nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, python::slot(python::dealloc_native<StartResponse>)},
                       {Py_tp_call, python::slot(PyVectorcall_Call)},
                       {Py_tp_members, members},
                       {0, nullptr}};

PyType_Spec spec = {
    "mod_wsgi.StartResponse", sizeof(python::Native<StartResponse>), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL, slots};

}  // namespace

base::Result<Ref> make_start_response_type(Attached& py) {
  return python::make_type(py, spec);
}

Ref make_start_response(Attached& py, PyObject* type, Request& request, ScriptNames& told) {
  return python::make_native<StartResponse>(
      type, StartResponse{call, &py.interpreter(), request.link(), &request, &told});
}

}  // namespace pyhost::wsgi
