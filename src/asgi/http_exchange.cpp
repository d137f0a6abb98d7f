#include "asgi/http_exchange.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "pyhost/gateway/response_rules.h"
#include "python/context_scope.h"
#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using gateway::Offered;
using gateway::ReplyPart;
using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::Ref;

namespace {

// What the functions of one exchange have as self.
struct Handle {
  std::shared_ptr<HttpExchange> exchange;
};

PyObject* receive_function(PyObject* self, PyObject*) {
  return python::py_entry([&] {
    const auto& handle = python::value_of<Handle>(self);
    return handle.exchange->new_receive().release();
  });
}

PyObject* send_function(PyObject* self, PyObject* event) {
  return python::py_entry([&] {
    const auto& handle = python::value_of<Handle>(self);
    return handle.exchange->new_send(event).release();
  });
}

// The callback of the task.
PyObject* task_ended_function(PyObject* self, PyObject* task) {
  return python::py_entry([&]() -> PyObject* {
    const std::shared_ptr<HttpExchange> exchange = python::value_of<Handle>(self).exchange;
    CalledByPython py(exchange->interpreter());
    exchange->task_has_ended(py, task);
    Py_RETURN_NONE;
  });
}

PyMethodDef receive_method = {"receive", receive_function, METH_NOARGS,
                              "receive()\n--\n\nWait for the next event of the request."};
PyMethodDef send_method = {"send", send_function, METH_O,
                           "send(event, /)\n--\n\nSend an event of the reply."};
PyMethodDef task_ended_method = {"task_ended", task_ended_function, METH_O, nullptr};

PyType_Slot handle_slots[] = {{Py_tp_dealloc, python::slot(python::dealloc_native<Handle>)},
                              {0, nullptr}};
PyType_Spec handle_spec = {"mod_wsgi.HttpExchange", sizeof(python::Native<Handle>), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, handle_slots};

Ref bound(PyMethodDef& method, const Ref& self) {
  return Ref::steal(PyCFunction_New(&method, self.get()));
}

}  // namespace

base::Result<> make_exchange_types(Attached& py, LoopParts& parts) {
  PH_TRY(handle, python::make_type(py, handle_spec));
  PH_TRY(receive, make_awaitable_type<HttpExchange::Receive>(py));
  PH_TRY(send, make_awaitable_type<HttpExchange::Send>(py));
  parts.handle_type = std::move(handle);
  parts.receive_type = std::move(receive);
  parts.send_type = std::move(send);
  return {};
}

HttpExchange::HttpExchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel) noexcept
    : parts_(parts),
      host_(host),
      channel_or_null_(&channel),
      logs_(channel, parts.logging),
      reply_(channel.head().is_head) {}

// --- The call --------------------------------------------------------------------------------

void HttpExchange::run(Attached& py, const Callee& callee) {
  const bool runs = python::py_entry(false, [&] { return start_task(py, callee); });
  if (!runs) finish(py, outcome_of_failure(py));
}

// False with an exception pending.
bool HttpExchange::start_task(Attached& py, const Callee& callee) {
  const Ref scope = make_scope(py, callee);
  stream_ = parts_.streams.take(py, link_, logs_, this);
  const Ref context = Ref::steal(PyContext_Copy(parts_.context.get()));
  if (!scope || !stream_.text || !context) return false;
  const python::ContextScope of_exchange(py, context.get());
  if (!parts_.streams.enter(py, stream_)) return false;
  const Ref handle =
      python::make_native<Handle>(parts_.handle_type.get(), Handle{shared_from_this()});
  const Ref awaitable = handle ? call(callee, scope.get(), handle) : Ref();
  if (!awaitable) return false;
  task_ = parts_.new_task(awaitable.get());
  const Ref callback = task_ ? bound(task_ended_method, handle) : Ref();
  return callback && Ref::steal(PyObject_CallMethodOneArg(
                         task_.get(), parts_.add_done_callback.get(), callback.get()));
}

Ref HttpExchange::make_scope(Attached& py, const Callee& callee) {
  Ref scope = parts_.scopes.build(py, head());
  if (!scope || callee.state_or_null == nullptr) return scope;
  const Ref state = Ref::steal(PyDict_Copy(callee.state_or_null));
  const bool complete =
      state && PyDict_SetItem(scope.get(), parts_.names.state.get(), state.get()) == 0;
  return complete ? std::move(scope) : Ref();
}

Ref HttpExchange::call(const Callee& callee, PyObject* scope, const Ref& handle) {
  const Ref receive = bound(receive_method, handle);
  const Ref send = bound(send_method, handle);
  if (!receive || !send) return {};
  return call_application(callee.application, callee.protocol, scope, receive, send);
}

Ref HttpExchange::new_receive() {
  return make_awaitable(parts_.receive_type.get(), Receive{shared_from_this()});
}

Ref HttpExchange::new_send(PyObject* event) {
  return make_awaitable(parts_.send_type.get(), Send{shared_from_this(), Ref::share(event)});
}

// --- receive() -------------------------------------------------------------------------------

Progress HttpExchange::wait(Ref& value) {
  value = waiters_.add(parts_);
  return value ? Progress::waits : Progress::failed;
}

Progress HttpExchange::give(Ref event, Ref& value) {
  value = std::move(event);
  return value ? Progress::answered : Progress::failed;
}

// Raises what an application may catch as an error of its input.
Progress HttpExchange::fail_receive() const {
  const std::string text =
      fmt::format("the request body cannot be received: {}", gateway::describe(receiving_.fault()));
  PyErr_SetString(PyExc_OSError, text.c_str());
  return Progress::failed;
}

Progress HttpExchange::receive(Ref& value) {
  if (!parts_.is_called_on_loop()) return Progress::failed;
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
  if (!parts_.is_called_on_loop()) return Progress::failed;
  while (!gone_) {
    const bool is_next = call.ticket ? line_.is_first(*call.ticket) : line_.empty();
    if (full_ || !is_next) {
      if (!call.ticket) call.ticket = line_.join();
      return wait(value);
    }
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

// What is sent to a client that has left is dropped (ASGI HTTP, spec_version 2.3). A loop that does
// nothing else lets those in once who wait for just that.
Progress HttpExchange::send_to_nobody(Ref& value) {
  if (!std::exchange(has_yielded_, true)) return Progress::yields;
  return give(Ref::share(Py_None), value);
}

void HttpExchange::leave_line(Send& call) noexcept {
  if (!call.ticket) return;
  line_.leave(*std::exchange(call.ticket, std::nullopt));
  CalledByPython py = attached();
  waiters_.wake(py, parts_);
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
  if (is_name(type.get(), names.http_response_early_hint)) return take_early_hint(py, event);
  PyErr_Format(PyExc_ValueError, "the server knows no event of the type %R in a HTTP exchange",
               type.get());
  return false;
}

bool HttpExchange::take_start(Attached& py, PyObject* event) {
  auto start = response_start_of(parts_.names, event);
  if (!start) return false;
  if (const Verdict verdict = reply_.start(start->status(), start->content_length())) {
    raise(*verdict);
    return false;
  }
  start_ = std::move(start);
  if (!start_->dropped_header().empty()) {
    log_detached(py, LogLevel::debug, Message::connection_header_dropped,
                 fmt::format("the application has set the header '{}', which was dropped",
                             start_->dropped_header()));
  }
  if (start_->is_event_stream()) {
    release_head(py);
  } else {
    host_.hold_head(*this);
  }
  return true;
}

bool HttpExchange::take_body(Attached& py, PyObject* event) {
  const auto event_body = response_body_of(parts_.names, event);
  if (!event_body) return false;
  return send_bytes(py, event_body->body.bytes(),
                    event_body->more ? ReplyCourse::More::yes : ReplyCourse::More::no);
}

bool HttpExchange::send_bytes(Attached& py, std::string_view bytes, ReplyCourse::More more) {
  const auto [departure, refusal] = reply_.body(bytes.size(), more);
  if (departure) depart(py, *departure, bytes.substr(0, departure->bytes));
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

void HttpExchange::release_head(Attached& py) {
  if (gone_ || channel_or_null_ == nullptr) return;
  if (const auto departure = reply_.release_head()) depart(py, *departure, {});
}

void HttpExchange::depart(Attached& py, const ReplyCourse::Departure& departure,
                          std::string_view body, const gateway::FileRange* file_or_null) {
  const bool ends = departure.then == ReplyPart::Then::end;
  gateway::ResponseHead head;
  ReplyPart part{.file = file_or_null, .then = departure.then};
  if (departure.head) {
    start_->annotate(notes_.take());
    head = start_->head();
    part.head = &head;
  }
  if (!body.empty()) part.blocks = {&body, 1};
  if (ends) part.figures = figures();
  const Offered offered = [&] {
    const DetachScope detached(py);
    // A reply's end is behind everything that belongs to its log.
    if (ends) logs_.flush();
    return channel_or_null_->offer(part);
  }();
  full_ = offered == Offered::full;
  if (ends) receiving_.replied();
  if (offered == Offered::dropped || offered == Offered::superseded) client_has_left(py);
  if (ends) waiters_.wake(py, parts_);
}

// --- What has happened -----------------------------------------------------------------------

void HttpExchange::has_room(Attached& py) {
  full_ = false;
  waiters_.wake(py, parts_);
}

void HttpExchange::client_has_left(Attached& py) {
  if (gone_.exchange(true)) return;
  receiving_.client_left();
  waiters_.wake(py, parts_);
  if (channel_or_null_ != nullptr) host_.expect_end(*this);
}

void HttpExchange::cancel(Attached& py, Cancelling why) {
  if (!task_ || cancelling_ != Cancelling::no) return;
  cancelling_ = why;
  Ref::steal(PyObject_CallMethodNoArgs(task_.get(), parts_.cancel.get()));
  python::discard_error(py);
}

bool HttpExchange::committed() const noexcept {
  const ReplyCourse::Stage stage = reply_.stage();
  return stage != ReplyCourse::Stage::unstarted && stage != ReplyCourse::Stage::held;
}

void HttpExchange::log(LogLevel level, std::string_view text) noexcept {
  logs_.sink().log_application({.level = level, .text = text});
}

// The channel is the loop's thread's alone.
void HttpExchange::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  const bool may = PyThread_get_thread_ident() == parts_.thread && channel_or_null_ != nullptr;
  if (may && !committed() && !gone_) channel_or_null_->offer_early_hints(headers);
}

}  // namespace pyhost::asgi
