#include "wsgi/start_response.h"

#include <fmt/format.h>
#include <structmember.h>

#include <cstddef>
#include <string>

#include "python/compat.h"
#include "python/error.h"
#include "python/while_request_runs.h"
#include "wsgi/header_list.h"

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

// False with an exception pending.
bool fill(StartedResponse& response, PyObject* status, PyObject* headers) {
  const auto status_text = latin1_of(status, "status");
  if (!status_text || raise_if_failed(response.set_status(*status_text))) return false;
  return for_each_header(headers, [&](std::string_view name, std::string_view value) {
    return !raise_if_failed(response.add_header(name, value));
  });
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
    if (block.empty() || request.keep(block)) Py_RETURN_NONE;
    request.commit();
    bool heard;
    {
      const python::MeteredDetach detached(py, request.full_meter_or_null());
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
    // A named argument lies behind the others.
    const bool has_exc_info =
        count == 3 || (keywords != nullptr && PyTuple_GET_SIZE(keywords) != 0);
    PyObject* const exc_info = has_exc_info ? arguments[2] : nullptr;
    request.tell_response(py, arguments[0], arguments[1], exc_info);
    if (!check_header_list(arguments[1])) return nullptr;
    if (!check_exc_info(request, exc_info)) return nullptr;
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
