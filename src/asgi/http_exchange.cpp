#include "asgi/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "asgi/event_fields.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::asgi {

using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::Ref;

Ref HttpExchange::make_scope(Attached& py) {
  return parts_.scopes.build(py, head());
}

void HttpExchange::client_has_left(Attached& py) {
  receiving_.client_left();
  Exchange::client_has_left(py);
}

void HttpExchange::end(Attached& py, TaskEnd, const gateway::Outcome& outcome) {
  receiving_.replied();
  finish(py, outcome);
}

// --- receive() -------------------------------------------------------------------------------

// Raises what an application may catch as an error of its input.
Progress HttpExchange::fail_receive() const {
  const std::string text =
      fmt::format("the request body cannot be received: {}", gateway::describe(receiving_.fault()));
  PyErr_SetString(PyExc_OSError, text.c_str());
  return Progress::failed;
}

Progress HttpExchange::receive(Ref& value) {
  switch (receiving_.next()) {
    case ReceiveCourse::Next::wait:
      return wait(value);
    case ReceiveCourse::Next::disconnect:
      return give(disconnect_event(), value);
    case ReceiveCourse::Next::fail:
      return fail_receive();
    case ReceiveCourse::Next::look:
      break;
  }
  const gateway::BodyPiece piece = channel_or_null_->take_body();
  switch (receiving_.found(piece)) {
    case ReceiveCourse::Found::request:
      watch_.count_input(piece.bytes.size());
      return give(request_event(piece), value);
    case ReceiveCourse::Found::disconnect:
      return give(disconnect_event(), value);
    case ReceiveCourse::Found::fail:
      return fail_receive();
    case ReceiveCourse::Found::nothing:
      break;
  }
  {
    CalledByPython py = attached();
    const DetachScope detached(py);
    channel_or_null_->want_body();
  }
  return wait(value);
}

Ref HttpExchange::request_event(const gateway::BodyPiece& piece) const {
  const Names& names = parts_.names;
  Ref event = Ref::steal(PyDict_New());
  const Ref body =
      Ref::steal(PyBytes_FromStringAndSize(piece.bytes.data(), Py_ssize_t(piece.bytes.size())));
  PyObject* const more = receiving_.more_body() ? Py_True : Py_False;
  const bool complete =
      event && body &&
      PyDict_SetItem(event.get(), names.type.get(), names.http_request.get()) == 0 &&
      PyDict_SetItem(event.get(), names.body.get(), body.get()) == 0 &&
      PyDict_SetItem(event.get(), names.more_body.get(), more) == 0;
  return complete ? std::move(event) : Ref();
}

Ref HttpExchange::disconnect_event() const {
  Ref event = Ref::steal(PyDict_New());
  const bool complete = event && PyDict_SetItem(event.get(), parts_.names.type.get(),
                                                parts_.names.http_disconnect.get()) == 0;
  return complete ? std::move(event) : Ref();
}

// --- send() ----------------------------------------------------------------------------------

Progress HttpExchange::send(Send& call, Ref& value) {
  while (!gone_) {
    if (!is_its_turn(call)) return wait(value);
    if (channel_or_null_ == nullptr) {
      PyErr_SetString(PyExc_RuntimeError, "an event was sent when its exchange was over");
      return Progress::failed;
    }
    CalledByPython py = attached();
    if (!(call.file ? send_of_file(py, call) : take_event(py, call))) return Progress::failed;
    if (call.file) continue;
    leave_line(call);
    return give(Ref::share(Py_None), value);
  }
  return send_to_nobody(value);
}

// What is sent to a client that has left is dropped (ASGI HTTP, spec_version 2.3), or an error
// (2.4, "Disconnected Client"). A loop that does nothing else lets those in once who wait for just
// that.
Progress HttpExchange::send_to_nobody(Ref& value) {
  if (parts_.http_spec != gateway::HttpSpec::v2_3) {
    PyErr_SetString(parts_.client_disconnected.get(), "the client has left");
    return Progress::failed;
  }
  if (!std::exchange(has_yielded_, true)) return Progress::yields;
  return give(Ref::share(Py_None), value);
}

// False with an exception pending.
bool HttpExchange::take_event(Attached& py, Send& call) {
  const Names& names = parts_.names;
  PyObject* const event = call.event.get();
  const Ref type = type_of(names, event);
  if (!type) return false;
  if (is_name(type.get(), names.http_response_body)) return take_body(py, event);
  if (is_name(type.get(), names.http_response_start)) return take_start(py, event);
  if (is_name(type.get(), names.http_response_pathsend)) return take_path(py, call);
  if (is_name(type.get(), names.http_response_zerocopysend)) return take_file(py, call);
  if (is_name(type.get(), names.http_response_trailers)) return take_trailers(py, event);
  if (is_name(type.get(), names.http_response_early_hint)) return take_early_hint(py, event);
  PyErr_Format(PyExc_ValueError, "the server knows no event of the type %R in a HTTP exchange",
               type.get());
  return false;
}

bool HttpExchange::take_trailers(Attached& py, PyObject* event) {
  auto event_trailers = response_trailers_of(parts_.names, event);
  if (!event_trailers) return false;
  std::vector<gateway::Header> all;
  for (const auto* some : {&trailers_, &event_trailers->headers}) {
    for (const auto& [name, value] : *some) all.push_back({name, value});
  }
  if (const auto checked = gateway::check_trailers(all); !checked) {
    raise(wrong_value(checked.error().sentence));
    return false;
  }
  std::ranges::move(event_trailers->headers, std::back_inserter(trailers_));
  const auto [departure, refusal] =
      reply_.trailers(event_trailers->more ? ReplyCourse::More::yes : ReplyCourse::More::no);
  if (departure) depart(py, *departure, {});
  if (!refusal) return true;
  raise(*refusal);
  return false;
}

bool HttpExchange::take_early_hint(Attached& py, PyObject* event) {
  const auto links = links_of(parts_.names, event);
  if (!links) return false;
  if (const Verdict verdict = reply_.hint()) {
    raise(*verdict);
    return false;
  }
  std::vector<gateway::Header> headers;
  for (const std::string& link : *links) headers.push_back({"link", link});
  if (const auto checked = gateway::check_early_hints(headers); !checked) {
    raise(wrong_value(checked.error().sentence));
    return false;
  }
  const DetachScope detached(py);
  channel_or_null_->offer_early_hints(headers);
  return true;
}

}  // namespace pyhost::asgi
