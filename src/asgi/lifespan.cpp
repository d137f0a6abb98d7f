#include "asgi/lifespan.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "asgi/event_fields.h"
#include "python/context_scope.h"
#include "python/native_type.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::PythonError;
using python::Ref;
using Stage = LifespanCourse::Stage;

namespace {

struct LifespanHandle {
  std::shared_ptr<Lifespan> lifespan;
};

PyObject* lifespan_receive(PyObject* self, PyObject*) {
  return python::py_entry(
      [&] { return python::value_of<LifespanHandle>(self).lifespan->new_receive().release(); });
}

PyObject* lifespan_send(PyObject* self, PyObject* event) {
  return python::py_entry(
      [&] { return python::value_of<LifespanHandle>(self).lifespan->new_send(event).release(); });
}

PyObject* lifespan_ended(PyObject* self, PyObject* task) {
  return python::py_entry([&]() -> PyObject* {
    const std::shared_ptr<Lifespan> lifespan = python::value_of<LifespanHandle>(self).lifespan;
    CalledByPython py(lifespan->interpreter());
    lifespan->task_has_ended(py, task);
    Py_RETURN_NONE;
  });
}

PyMethodDef lifespan_receive_method = {"receive", lifespan_receive, METH_NOARGS,
                                       "receive()\n--\n\nWait for the next event of the lifespan."};
PyMethodDef lifespan_send_method = {"send", lifespan_send, METH_O,
                                    "send(event, /)\n--\n\nAnswer an event of the lifespan."};
PyMethodDef lifespan_ended_method = {"task_ended", lifespan_ended, METH_O, nullptr};

PyType_Slot lifespan_handle_slots[] = {
    {Py_tp_dealloc, python::slot(python::dealloc_native<LifespanHandle>)}, {0, nullptr}};
PyType_Spec lifespan_handle_spec = {"mod_wsgi.Lifespan", sizeof(python::Native<LifespanHandle>), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                    lifespan_handle_slots};

// What is sent, or nothing when it is none of these.
std::optional<LifespanCourse::Event> lifespan_event_of(const Names& names, PyObject* type) {
  using Event = LifespanCourse::Event;
  if (is_name(type, names.lifespan_startup_complete)) return Event::startup_complete;
  if (is_name(type, names.lifespan_startup_failed)) return Event::startup_failed;
  if (is_name(type, names.lifespan_shutdown_complete)) return Event::shutdown_complete;
  if (is_name(type, names.lifespan_shutdown_failed)) return Event::shutdown_failed;
  return std::nullopt;
}

}  // namespace

base::Result<> make_lifespan_types(Attached& py, LoopParts& parts) {
  PH_TRY(handle, python::make_type(py, lifespan_handle_spec));
  PH_TRY(receive, make_awaitable_type<Lifespan::Receive>(py));
  PH_TRY(send, make_awaitable_type<Lifespan::Send>(py));
  parts.lifespan_handle_type = std::move(handle);
  parts.lifespan_receive_type = std::move(receive);
  parts.lifespan_send_type = std::move(send);
  return {};
}

void Lifespan::start(Attached& py, PyObject* application, gateway::Protocol protocol,
                     PyObject* state) {
  const bool runs =
      python::py_entry(false, [&] { return start_task(py, application, protocol, state); });
  if (runs) return;
  const PythonError error = PythonError::take(py);
  const std::string summary = error.summary(py);
  change(py, error.traceback(py), [&] { course_.ended(summary); });
}

// False with an exception pending.
bool Lifespan::start_task(Attached& py, PyObject* application, gateway::Protocol protocol,
                          PyObject* state) {
  const Ref scope = parts_.scopes.build_lifespan(py);
  const Ref context = Ref::steal(PyContext_Copy(parts_.context.get()));
  const Ref handle = python::make_native<LifespanHandle>(parts_.lifespan_handle_type.get(),
                                                         LifespanHandle{shared_from_this()});
  if (!scope || !context || !handle) return false;
  if (PyDict_SetItem(scope.get(), parts_.names.state.get(), state) != 0) return false;
  const python::ContextScope of_lifespan(py, context.get());
  const Ref receive = Ref::steal(PyCFunction_New(&lifespan_receive_method, handle.get()));
  const Ref send = Ref::steal(PyCFunction_New(&lifespan_send_method, handle.get()));
  const Ref ended = Ref::steal(PyCFunction_New(&lifespan_ended_method, handle.get()));
  if (!receive || !send || !ended) return false;
  const Ref awaitable = call_application(application, protocol, scope.get(), receive, send);
  task_ = awaitable ? parts_.new_task(awaitable.get()) : Ref();
  return task_ && Ref::steal(PyObject_CallMethodOneArg(task_.get(), parts_.add_done_callback.get(),
                                                       ended.get()));
}

Ref Lifespan::new_receive() {
  return make_awaitable(parts_.lifespan_receive_type.get(), Receive{shared_from_this()});
}

Ref Lifespan::new_send(PyObject* event) {
  return make_awaitable(parts_.lifespan_send_type.get(),
                        Send{shared_from_this(), Ref::share(event)});
}

Ref Lifespan::event_of(const Ref& type) const {
  Ref event = Ref::steal(PyDict_New());
  const bool complete =
      event && PyDict_SetItem(event.get(), parts_.names.type.get(), type.get()) == 0;
  return complete ? std::move(event) : Ref();
}

Progress Lifespan::receive(Ref& value) {
  if (!parts_.is_called_on_loop()) return Progress::failed;
  const LifespanCourse::Next next = course_.next();
  if (next == LifespanCourse::Next::wait) {
    value = waiters_.add(parts_);
    return value ? Progress::waits : Progress::failed;
  }
  const bool starts = next == LifespanCourse::Next::startup;
  value = event_of(starts ? parts_.names.lifespan_startup : parts_.names.lifespan_shutdown);
  if (!value) return Progress::failed;
  course_.told(next);
  return Progress::answered;
}

Progress Lifespan::send(PyObject* event, Ref& value) {
  if (!parts_.is_called_on_loop()) return Progress::failed;
  const Ref type = type_of(parts_.names, event);
  if (!type) return Progress::failed;
  const auto sent = lifespan_event_of(parts_.names, type.get());
  if (!sent) {
    PyErr_Format(PyExc_ValueError, "the server knows no event of the type %R in a lifespan",
                 type.get());
    return Progress::failed;
  }
  CalledByPython py(parts_.interpreter);
  Verdict verdict;
  change(py, "", [&] { verdict = course_.sent(*sent, message_of(py, parts_.names, event)); });
  if (verdict) {
    raise(*verdict);
    return Progress::failed;
  }
  value = Ref::share(Py_None);
  return Progress::answered;
}

void Lifespan::task_has_ended(Attached& py, PyObject* task) {
  const std::shared_ptr<Lifespan> self = shared_from_this();
  task_.reset();
  const Ref result = Ref::steal(PyObject_CallMethodNoArgs(task, parts_.result.get()));
  if (result) return change(py, "", [&] { course_.ended(""); });
  const PythonError error = PythonError::take(py);
  const std::string summary = error.summary(py);
  change(py, error.traceback(py), [&] { course_.ended(summary); });
}

void Lifespan::stop(Attached& py) {
  change(py, "", [this] { course_.stop(); });
}

void Lifespan::patience_is_over(Attached& py) {
  change(py, "", [this] { course_.patience_is_over(); });
}

template <class F>
void Lifespan::change(Attached& py, const std::string& details, F act) {
  const Stage before = course_.stage();
  act();
  if (course_.stage() == before) return;
  log_change(py, details);
  waiters_.wake(py, parts_);
  on_change_(py);
}

void Lifespan::log_change(Attached& py, const std::string& details) const {
  LogLevel level = LogLevel::error;
  Message message = Message::none;
  switch (course_.stage()) {
    case Stage::starting:
    case Stage::running:
    case Stage::stopping:
      return;
    case Stage::unsupported:
      level = LogLevel::debug;
      message = Message::lifespan_unsupported;
      break;
    case Stage::failed:
      message = Message::lifespan_failed;
      break;
    case Stage::died:
      message = Message::lifespan_lost;
      break;
    case Stage::stopped:
      if (course_.sentence().empty()) return;
      message = Message::lifespan_end_failed;
      break;
  }
  const std::string text = fmt::format("{}, in {}: {}{}{}", script_, parts_.interpreter.phrase(),
                                       course_.sentence(), details.empty() ? "" : "\n", details);
  const DetachScope detached(py);
  parts_.interpreter.server_log().log(level, message, text);
}

}  // namespace pyhost::asgi
