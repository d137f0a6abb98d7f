#include "asgi/exchange.h"

#include <utility>

#include "python/context_scope.h"
#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::asgi {

using base::LogLevel;
using python::Attached;
using python::CalledByPython;
using python::Ref;

namespace {

// What the functions of one exchange have as self.
struct Handle {
  std::shared_ptr<Exchange> exchange;
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
    const std::shared_ptr<Exchange> exchange = python::value_of<Handle>(self).exchange;
    CalledByPython py(exchange->interpreter());
    exchange->task_has_ended(py, task);
    Py_RETURN_NONE;
  });
}

PyMethodDef receive_method = {"receive", receive_function, METH_NOARGS,
                              "receive()\n--\n\nWait for the next event of the exchange."};
PyMethodDef send_method = {"send", send_function, METH_O,
                           "send(event, /)\n--\n\nSend an event to the client."};
PyMethodDef task_ended_method = {"task_ended", task_ended_function, METH_O, nullptr};

PyType_Slot handle_slots[] = {{Py_tp_dealloc, python::slot(python::dealloc_native<Handle>)},
                              {0, nullptr}};
PyType_Spec handle_spec = {"mod_wsgi.Exchange", sizeof(python::Native<Handle>), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, handle_slots};

Ref bound(PyMethodDef& method, const Ref& self) {
  return Ref::steal(PyCFunction_New(&method, self.get()));
}

}  // namespace

base::Result<> make_exchange_types(Attached& py, LoopParts& parts) {
  PH_TRY(handle, python::make_type(py, handle_spec));
  PH_TRY(receive, make_awaitable_type<Exchange::Receive>(py));
  PH_TRY(send, make_awaitable_type<Exchange::Send>(py));
  parts.handle_type = std::move(handle);
  parts.receive_type = std::move(receive);
  parts.send_type = std::move(send);
  return {};
}

Exchange::Exchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel) noexcept
    : parts_(parts),
      host_(host),
      channel_or_null_(&channel),
      reply_(channel.head().is_head),
      logs_(channel, parts.logging) {}

// --- The call --------------------------------------------------------------------------------

void Exchange::run(Attached& py, const Callee& callee) {
  const bool runs = python::py_entry(false, [&] { return start_task(py, callee); });
  if (!runs) end_by_exception(py);
}

// False with an exception pending.
bool Exchange::start_task(Attached& py, const Callee& callee) {
  const Ref scope = make_scope(py);
  stream_ = parts_.streams.take(py, link_, logs_, this);
  const Ref context = Ref::steal(PyContext_Copy(parts_.context.get()));
  if (!scope || !stream_.text || !context || !add_state(scope.get(), callee)) return false;
  const python::ContextScope of_exchange(py, context.get());
  if (!parts_.streams.enter(py, stream_)) return false;
  const Ref handle =
      python::make_native<Handle>(parts_.handle_type.get(), Handle{shared_from_this()});
  watch_.enter(py, parts_.requests, head(), channel_or_null_->target().callable, data_);
  const Ref awaitable = handle ? call(py, callee, scope.get(), handle) : Ref();
  if (!awaitable) return false;
  task_ = parts_.new_task(awaitable.get());
  const Ref callback = task_ ? bound(task_ended_method, handle) : Ref();
  return callback && Ref::steal(PyObject_CallMethodOneArg(
                         task_.get(), parts_.add_done_callback.get(), callback.get()));
}

// False with an exception pending.
bool Exchange::add_state(PyObject* scope, const Callee& callee) const {
  if (callee.state_or_null == nullptr) return true;
  const Ref state = Ref::steal(PyDict_Copy(callee.state_or_null));
  return state && PyDict_SetItem(scope, parts_.names.state.get(), state.get()) == 0;
}

Ref Exchange::call(Attached& py, const Callee& callee, PyObject* scope, const Ref& handle) {
  const Ref receive = bound(receive_method, handle);
  const Ref send = bound(send_method, handle);
  if (!receive || !send) return {};
  const Ref wrapped = watch_.tell_start(py, callee.application, scope);
  PyObject* const application = wrapped ? wrapped.get() : callee.application;
  return call_application(application, callee.protocol, scope, receive, send);
}

Ref Exchange::new_receive() {
  return make_awaitable(parts_.receive_type.get(), Receive{shared_from_this()});
}

Ref Exchange::new_send(PyObject* event) {
  return make_awaitable(parts_.send_type.get(), Send{shared_from_this(), Ref::share(event)});
}

// --- Calls of the application ----------------------------------------------------------------

Progress Exchange::wait(Ref& value) {
  value = waiters_.add(parts_);
  return value ? Progress::waits : Progress::failed;
}

Progress Exchange::give(Ref event, Ref& value) {
  value = std::move(event);
  return value ? Progress::answered : Progress::failed;
}

Progress Exchange::Receive::go_on(Ref& value) {
  if (!exchange->parts_.is_called_on_loop()) return Progress::failed;
  return exchange->receive(value);
}

Progress Exchange::Send::go_on(Ref& value) {
  if (!exchange->parts_.is_called_on_loop()) return Progress::failed;
  return exchange->send(*this, value);
}

bool Exchange::is_its_turn(Send& call) {
  const bool is_next = call.ticket ? line_.is_first(*call.ticket) : line_.empty();
  if (!full_ && is_next) return true;
  if (!call.ticket) call.ticket = line_.join();
  return false;
}

void Exchange::leave_line(Send& call) noexcept {
  if (!call.ticket) return;
  line_.leave(*std::exchange(call.ticket, std::nullopt));
  CalledByPython py = attached();
  waiters_.wake(py, parts_);
}

// --- What has happened -----------------------------------------------------------------------

void Exchange::has_room(Attached& py) {
  full_ = false;
  waiters_.wake(py, parts_);
}

void Exchange::client_has_left(Attached& py) {
  if (gone_.exchange(true)) return;
  waiters_.wake(py, parts_);
  if (channel_or_null_ != nullptr) host_.expect_end(*this);
}

void Exchange::cancel(Attached& py, Cancelling why) {
  if (!task_ || cancelling_ != Cancelling::no) return;
  cancelling_ = why;
  Ref::steal(PyObject_CallMethodNoArgs(task_.get(), parts_.cancel.get()));
  python::discard_error(py);
}

bool Exchange::committed() const noexcept {
  const ReplyCourse::Stage stage = reply_.stage();
  return stage != ReplyCourse::Stage::unstarted && stage != ReplyCourse::Stage::held;
}

void Exchange::log(LogLevel level, std::string_view text) noexcept {
  logs_.sink().log_application({.level = level, .text = text});
}

// The channel is the loop's thread's alone.
void Exchange::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  const bool may = PyThread_get_thread_ident() == parts_.thread && channel_or_null_ != nullptr;
  if (may && !committed() && !gone_) channel_or_null_->offer_early_hints(headers);
}

}  // namespace pyhost::asgi
