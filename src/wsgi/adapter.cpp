#include "wsgi/adapter.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/scope_exit.h"
#include "python/compat.h"
#include "python/native_type.h"
#include "wsgi/client_functions.h"
#include "wsgi/failure_report.h"
#include "wsgi/file_wrapper.h"
#include "wsgi/forked_copy.h"
#include "wsgi/input.h"
#include "wsgi/start_response.h"

namespace pyhost::wsgi {
namespace {

using gateway::ReplyPart;
using python::Attached;
using python::MeteredDetach;
using python::Ref;

// Up to here the body is copied, so that Python is not needed again after the reply is sent: a copy
// of this size costs less than waiting for the lock once more.
constexpr std::size_t kHeldBytesMax = 64 * 1024;

bool check_started(const Request& request) {
  if (request.started()) return true;
  PyErr_SetString(PyExc_RuntimeError,
                  "the application produced its response before it called start_response()");
  return false;
}

bool check_block(PyObject* block) {
  if (PyBytes_Check(block)) return true;
  PyErr_Format(PyExc_TypeError, "the response must consist of bytes, not %.200s",
               Py_TYPE(block)->tp_name);
  return false;
}

std::string_view bytes_of(const Ref& block) noexcept {
  return {PyBytes_AS_STRING(block.get()), std::size_t(PyBytes_GET_SIZE(block.get()))};
}

// Whether len(result) says that there is exactly one block (PEP 3333, handling Content-Length).
bool has_one_block(Attached& py, PyObject* result) {
  const PyTypeObject* type = Py_TYPE(result);
  const bool sized =
      (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) ||
      (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr);
  if (!sized) return false;
  const Py_ssize_t length = PyObject_Size(result);
  if (length < 0) python::discard_error(py);
  return length == 1;
}

// The blocks that are there already: those of a list or tuple, or of an iterator over one. False
// with an exception pending.
bool collect(PyObject* items, std::vector<Ref>& blocks) {
  if (PyList_CheckExact(items)) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); ++i) {
      blocks.push_back(Ref::share(PyList_GET_ITEM(items, i)));
    }
  } else if (PyTuple_CheckExact(items)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); ++i) {
      blocks.push_back(Ref::share(PyTuple_GET_ITEM(items, i)));
    }
  } else {
    while (Ref block = Ref::steal(PyIter_Next(items))) blocks.push_back(std::move(block));
    if (PyErr_Occurred() != nullptr) return false;
  }
  for (const Ref& block : blocks) {
    if (!check_block(block.get())) return false;
  }
  return true;
}

bool client_gone(Attached& py, Request& request) {
  const MeteredDetach detached(py, request.full_meter_or_null());
  return request.client_gone();
}

bool send(Attached& py, Request& request, std::span<const std::string_view> blocks,
          ReplyPart::Then then) {
  request.commit();
  const MeteredDetach detached(py, request.full_meter_or_null());
  return request.send(blocks, then);
}

}  // namespace

base::Result<Adapter> Adapter::make(Attached& py, const gateway::EngineSettings& settings,
                                    python::LogStreams streams) {
  PH_TRY(input, make_input_type(py));
  PH_TRY(start_response, make_start_response_type(py));
  PH_TRY(file_wrapper, make_file_wrapper_type(py));
  const Ref early_hints = make_early_hints(py, streams);
  const Ref client_disconnected = make_client_disconnected(py, streams);
  if (!early_hints || !client_disconnected) {
    return base::fail(python::PythonError::take(py).summary(py));
  }
  PH_TRY(environs, EnvironFactory::make(py, settings,
                                        {.file_wrapper_type = file_wrapper.get(),
                                         .early_hints = early_hints.get(),
                                         .client_disconnected = client_disconnected.get()}));
  Ref request_timeout = Ref::steal(PyErr_NewExceptionWithDoc(
      "mod_wsgi.RequestTimeout",
      "Raised in a request that has run longer than request-timeout and is to end.",
      PyExc_BaseException, nullptr));
  if (!request_timeout) return base::fail(python::PythonError::take(py).summary(py));
  Ref close_name = Ref::steal(PyUnicode_InternFromString("close"));
  if (!close_name) return base::fail(python::PythonError::take(py).summary(py));
  return Adapter(std::move(input), std::move(start_response), std::move(file_wrapper),
                 std::move(request_timeout), std::move(close_name), std::move(environs),
                 std::move(streams));
}

void Adapter::run(Attached& py, PyObject* application, Request& request, PyObject* errors_or_null) {
  request.meter().begin(base::Clock::now());
  const base::ScopeExit forget([&request] { request.forget_environ(); });
  {
    const base::ScopeExit end([&request] { request.meter().end(base::Clock::now()); });
    serve(py, application, request, errors_or_null);
  }
  if (python::RequestMeter* meter = request.full_meter_or_null()) meter->finish(base::now_us());
  request.tell_end(py);
}

void Adapter::serve(Attached& py, PyObject* application, Request& request,
                    PyObject* errors_or_null) {
  // Where our memory runs out, it is a MemoryError like others, and the response is closed.
  const Ref result =
      python::py_entry(Ref(), [&] { return call(py, application, request, errors_or_null); });
  leave_if_forked(py, request, request_timeout_.get());
  if (!result) {
    report_failure(py, request, request_timeout_.get(), application);
    return;
  }
  if (!python::py_entry(false, [&] { return deliver(py, result.get(), request); })) {
    report_failure(py, request, request_timeout_.get(), application);
  }
  const bool closed = close(py, result.get(), request);
  leave_if_forked(py, request, request_timeout_.get());
  if (!closed) report_close_failure(py, request, request_timeout_.get());
}

Ref Adapter::call(Attached& py, PyObject* application, Request& request, PyObject* errors_or_null) {
  if (errors_or_null == nullptr) return Ref::steal(PyErr_NoMemory());
  const std::int64_t start_us = base::now_us();
  if (python::RequestMeter* meter = request.full_meter_or_null()) meter->start(start_us);
  const Ref environ = environs_.build(py, request.exchange().head(), start_us);
  const Ref input = make_input(py, input_type_.get(), request);
  const Ref start = make_start_response(py, start_response_type_.get(), request, told_);
  if (!environ || !input || !start ||
      !environs_.add_streams(py, environ.get(), input.get(), errors_or_null)) {
    return {};
  }
  request.keep_environ(environ.clone(), environs_.user_key());
  const Ref other = request.tell_start(py, application, environ.get());
  if (other) application = other.get();
  PyObject* const arguments[] = {environ.get(), start.get()};
  return Ref::steal(PyObject_Vectorcall(application, arguments, 2, nullptr));
}

// False with an exception pending.
bool Adapter::deliver(Attached& py, PyObject* result, Request& request) {
  if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) {
    std::vector<Ref> blocks;
    return collect(result, blocks) && deliver_all(py, blocks, false, request);
  }
  auto* file_wrapper = reinterpret_cast<PyTypeObject*>(file_wrapper_type_.get());
  if (PyObject_TypeCheck(result, file_wrapper)) {
    // Asked for after what the file's own methods may have let other threads do.
    if (const auto range = file_range_of(py, result); range && !request.committed()) {
      if (!check_started(request)) return false;
      request.commit();
      const MeteredDetach detached(py, request.full_meter_or_null());
      request.send_file(*range);
      return true;
    }
  }
  const Ref iterator = Ref::steal(PyObject_GetIter(result));
  if (!iterator) return false;
  if (Py_IS_TYPE(iterator.get(), &PyListIter_Type) ||
      Py_IS_TYPE(iterator.get(), &PyTupleIter_Type)) {
    std::vector<Ref> blocks;
    return collect(iterator.get(), blocks) && deliver_all(py, blocks, true, request);
  }
  return deliver_each(py, result, iterator.get(), request);
}

// A body that is complete: one pass through httpd, and no flush.
bool Adapter::deliver_all(Attached& py, std::span<const Ref> blocks, bool closes,
                          Request& request) {
  if (!check_started(request)) return false;
  std::vector<std::string_view> views;
  views.reserve(blocks.size());
  std::size_t total = 0;
  for (const Ref& block : blocks) {
    views.push_back(bytes_of(block));
    total += views.back().size();
  }
  // Whoever is told of the request's end is told what its sending has taken.
  if (!closes && total <= kHeldBytesMax && !request.observed()) {
    request.hold(views);
  } else {
    send(py, request, views, ReplyPart::Then::end);
  }
  return true;
}

Ref Adapter::next_block(Attached& py, PyObject* iterator, Request& request) {
  Ref block = Ref::steal(PyIter_Next(iterator));
  leave_if_forked(py, request, request_timeout_.get());
  return block;
}

// A body that is made while it is sent: each block leaves before the next one is asked for (PEP
// 3333, buffering and streaming). None is asked for that would get nobody anything.
bool Adapter::deliver_each(Attached& py, PyObject* result, PyObject* iterator, Request& request) {
  bool only_block = has_one_block(py, result);
  while (const Ref block = next_block(py, iterator, request)) {
    if (!check_block(block.get())) return false;
    const std::string_view view = bytes_of(block);
    if (view.empty() && !(request.started() && client_gone(py, request))) continue;
    if (!check_started(request)) return false;
    if (only_block && !request.committed() && !request.response().content_length()) {
      request.set_content_length(view.size());
    }
    only_block = false;
    if (request.keep(view)) continue;
    if (!send(py, request, {&view, 1}, ReplyPart::Then::pause)) return true;
    if (!request.wants_more()) break;
  }
  if (PyErr_Occurred() != nullptr || !check_started(request)) return false;
  send(py, request, {}, ReplyPart::Then::end);
  return true;
}

// False with an exception pending.
bool Adapter::close(Attached&, PyObject* result, Request&) {
  if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) return true;
  Ref function;
  const int found = python::get_optional_attribute(result, close_name_.get(), function);
  if (found <= 0) return found == 0;
  return bool(Ref::steal(PyObject_CallNoArgs(function.get())));
}

}  // namespace pyhost::wsgi
