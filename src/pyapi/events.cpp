#include "pyapi/events.h"

#include <fmt/format.h>
#include <string.h>

#include "pyapi/module.h"
#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::DetachScope;
using python::PythonError;
using python::Ref;

constexpr char kEventCallbacks[] = "event_callbacks";
constexpr char kShutdownCallbacks[] = "shutdown_callbacks";
constexpr char kSignalCallbacks[] = "signal_callbacks";
constexpr char kProcessStopping[] = "process_stopping";
constexpr char kProcessSignal[] = "process_signal";

PyObject* subscribe(PyObject* module, const char* list, PyObject* callback) {
  const Ref callbacks = Ref::steal(PyObject_GetAttrString(module, list));
  const Ref done = Ref::steal(
      callbacks ? PyObject_CallMethod(callbacks.get(), "append", "O", callback) : nullptr);
  return done ? Py_NewRef(callback) : nullptr;
}

PyObject* subscribe_events(PyObject* module, PyObject* callback) {
  return subscribe(module, kEventCallbacks, callback);
}

PyObject* subscribe_shutdown(PyObject* module, PyObject* callback) {
  return subscribe(module, kShutdownCallbacks, callback);
}

PyObject* subscribe_signals(PyObject* module, PyObject* callback) {
  return subscribe(module, kSignalCallbacks, callback);
}

void log(Attached& py, LogLevel level, Message message, const std::string& text) {
  const DetachScope detached(py);
  py.interpreter().server_log().log(level, message, text);
}

// Where no signal is ever published, a list would only keep what is put into it.
PyObject* decline_signals(PyObject* module, PyObject* callback) {
  return python::py_entry([&]() -> PyObject* {
    python::Interpreter& interpreter = state_of(module).interpreter;
    const Ref stack =
        Ref::steal(PyObject_CallMethod(interpreter.support(), "format_stack", nullptr));
    if (!stack) return nullptr;
    python::CalledByPython py(interpreter);
    log(py, LogLevel::info, Message::signals_not_published,
        fmt::format("no signal is told to {}: that is done in the workers of a process group that "
                    "serve requests; subscribed from:\n{}",
                    python::describe(py, callback), python::to_utf8(py, stack.get())));
    return Py_NewRef(callback);
  });
}

PyMethodDef methods[] = {
    {"subscribe_events", subscribe_events, METH_O,
     "subscribe_events(callback, /)\n--\n\n"
     "Have callback(event, **payload) called with every event of this interpreter. Returns the "
     "callback."},
    {"subscribe_shutdown", subscribe_shutdown, METH_O,
     "subscribe_shutdown(callback, /)\n--\n\n"
     "Have callback('process_stopping', shutdown_reason=...) called when the process begins to "
     "end. Returns the callback."},
    {nullptr, nullptr, 0, nullptr}};

constexpr char kSubscribeSignalsDoc[] =
    "subscribe_signals(callback, /)\n--\n\n"
    "Have callback('process_signal', signame=..., signum=...) called when the worker gets SIGHUP "
    "or "
    "SIGUSR2. Returns the callback.";

PyMethodDef with_signals[] = {
    {"subscribe_signals", subscribe_signals, METH_O, kSubscribeSignalsDoc},
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef without_signals[] = {
    {"subscribe_signals", decline_signals, METH_O, kSubscribeSignalsDoc},
    {nullptr, nullptr, 0, nullptr}};

Ref attribute_or_null(Attached& py, PyObject* object, const char* name) {
  Ref value = Ref::steal(PyObject_GetAttrString(object, name));
  python::discard_error(py);
  return value;
}

// "stop (/srv/shop/app.wsgi:12)": the name of a script's module would say nothing.
std::string name_of(Attached& py, PyObject* callback) {
  const Ref name = attribute_or_null(py, callback, "__qualname__");
  const Ref code = attribute_or_null(py, callback, "__code__");
  if (!name || !code || !PyCode_Check(code.get())) return python::describe(py, callback);
  const auto* source = reinterpret_cast<PyCodeObject*>(code.get());
  return fmt::format("{} ({}:{})", python::describe(py, name.get()),
                     python::describe(py, source->co_filename), source->co_firstlineno);
}

void log_failure(Attached& py, const char* event) {
  log(py, LogLevel::error, Message::event_failed,
      fmt::format("{} could not be published in {}: {}", event, py.interpreter().phrase(),
                  PythonError::take(py).summary(py)));
}

// One dispatch of one event.
class Dispatch {
 public:
  // `before` may be empty.
  Dispatch(const char* event, const BeforeCallback& before) : event_(event), before_(before) {}

  // Callbacks that are added or removed meanwhile make no difference.
  void run(Attached& py, PyObject* callbacks, PyObject* payload) {
    const Ref copy = Ref::steal(PySequence_List(callbacks));
    const Ref arguments = Ref::steal(copy ? Py_BuildValue("(s)", event_) : nullptr);
    if (!arguments) return log_failure(py, event_);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(copy.get()); ++i) {
      call(py, PyList_GET_ITEM(copy.get(), i), arguments.get(), payload);
    }
  }

 private:
  void call(Attached& py, PyObject* callback, PyObject* arguments, PyObject* payload) {
    if (before_) before_(name_of(py, callback));
    const Ref told = Ref::steal(PyObject_Call(callback, arguments, payload));
    const bool merged =
        told && (!PyDict_Check(told.get()) || PyDict_Update(payload, told.get()) == 0);
    if (merged) return;
    const PythonError error = PythonError::take(py);
    const bool exited = error.is(PyExc_SystemExit);
    log(py, LogLevel::error, exited ? Message::callback_exited : Message::callback_raised,
        fmt::format("callback {} for {} of {} {}\n{}", name_of(py, callback), event_,
                    py.interpreter().phrase(), exited ? "called sys.exit()" : "raised an exception",
                    error.traceback(py)));
  }

  const char* const event_;
  const BeforeCallback& before_;
};

// Null, after a record that says why. Applications may have taken it away.
Ref callbacks_or_null(Attached& py, const char* event, const char* list) {
  const Ref name = Ref::steal(PyUnicode_FromString(kModuleName));
  const Ref module = name ? Ref::steal(PyImport_GetModule(name.get())) : Ref();
  python::discard_error(py);
  const auto fail = [&](Message message, std::string_view what) {
    log(py, LogLevel::error, message,
        fmt::format("{} is not published in {}: {}", event, py.interpreter().phrase(), what));
    return Ref();
  };
  if (!module) {
    return fail(Message::event_module_missing, "there is no module mod_wsgi in sys.modules");
  }
  Ref callbacks = Ref::steal(PyObject_GetAttrString(module.get(), list));
  python::discard_error(py);
  if (callbacks) return callbacks;
  return fail(Message::event_list_missing, fmt::format("mod_wsgi.{} does not exist", list));
}

// To those who hear of everything, then to those who hear of this.
void publish_to_both(Attached& py, const char* event, const char* own_list,
                     const Dictionary& payload, const BeforeCallback& before) {
  if (payload.get() == nullptr) return log_failure(py, event);
  for (const char* list : {kEventCallbacks, own_list}) {
    const Ref callbacks = callbacks_or_null(py, event, list);
    if (!callbacks) continue;
    Dispatch(event, before).run(py, callbacks.get(), payload.get());
  }
}

}  // namespace

bool add_events(Attached&, PyObject* module, SignalEvents signals) {
  for (const char* list : {kEventCallbacks, kShutdownCallbacks, kSignalCallbacks}) {
    const Ref callbacks = Ref::steal(PyList_New(0));
    if (!callbacks || PyObject_SetAttrString(module, list, callbacks.get()) != 0) return false;
  }
  const bool published = signals == SignalEvents::published;
  return PyModule_AddFunctions(module, methods) == 0 &&
         PyModule_AddFunctions(module, published ? with_signals : without_signals) == 0;
}

void publish(Attached& py, const char* event, PyObject* callbacks, Dictionary& payload) {
  if (payload.get() == nullptr) return log_failure(py, event);
  const BeforeCallback nobody;
  Dispatch(event, nobody).run(py, callbacks, payload.get());
}

void publish_process_stopping(Attached& py, std::string_view reason, const BeforeCallback& before) {
  Dictionary payload;
  payload.set("shutdown_reason", reason);
  publish_to_both(py, kProcessStopping, kShutdownCallbacks, payload, before);
}

void publish_process_signal(Attached& py, int signal) {
  Dictionary payload;
  payload.set("signame", fmt::format("SIG{}", ::sigabbrev_np(signal)));
  payload.set("signum", signal);
  publish_to_both(py, kProcessSignal, kSignalCallbacks, payload, nullptr);
}

}  // namespace pyhost::pyapi
