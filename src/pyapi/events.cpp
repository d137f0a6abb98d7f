#include "pyapi/events.h"

#include <fmt/format.h>

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

constexpr char kShutdownCallbacks[] = "shutdown_callbacks";
constexpr char kProcessStopping[] = "process_stopping";

PyObject* subscribe_shutdown(PyObject* module, PyObject* callback) {
  const Ref callbacks = Ref::steal(PyObject_GetAttrString(module, kShutdownCallbacks));
  const Ref done = Ref::steal(
      callbacks ? PyObject_CallMethod(callbacks.get(), "append", "O", callback) : nullptr);
  return done ? Py_NewRef(callback) : nullptr;
}

PyMethodDef methods[] = {
    {"subscribe_shutdown", subscribe_shutdown, METH_O,
     "subscribe_shutdown(callback, /)\n--\n\n"
     "Have callback('process_stopping', shutdown_reason=...) called when the process begins to "
     "end. Returns the callback."},
    {nullptr, nullptr, 0, nullptr}};

void log(Attached& py, Message message, const std::string& text) {
  const DetachScope detached(py);
  py.interpreter().server_log().log(LogLevel::error, message, text);
}

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

// One dispatch of one event.
class Dispatch {
 public:
  Dispatch(const char* event, const BeforeCallback& before) : event_(event), before_(before) {}

  // Callbacks that are added or removed meanwhile make no difference.
  void run(Attached& py, PyObject* callbacks, PyObject* payload) {
    const Ref copy = Ref::steal(PySequence_List(callbacks));
    const Ref arguments = Ref::steal(copy ? Py_BuildValue("(s)", event_) : nullptr);
    if (!arguments) return log_failure(py);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(copy.get()); ++i) {
      call(py, PyList_GET_ITEM(copy.get(), i), arguments.get(), payload);
    }
  }

  void log_failure(Attached& py) {
    log(py, Message::event_failed,
        fmt::format("{} could not be published in {}: {}", event_, py.interpreter().phrase(),
                    PythonError::take(py).summary(py)));
  }

 private:
  void call(Attached& py, PyObject* callback, PyObject* arguments, PyObject* payload) {
    const std::string name = name_of(py, callback);
    before_(name);
    const Ref told = Ref::steal(PyObject_Call(callback, arguments, payload));
    const bool merged =
        told && (!PyDict_Check(told.get()) || PyDict_Update(payload, told.get()) == 0);
    if (merged) return;
    const PythonError error = PythonError::take(py);
    const bool exited = error.is(PyExc_SystemExit);
    log(py, exited ? Message::callback_exited : Message::callback_raised,
        fmt::format("callback {} for {} of {} {}\n{}", name, event_, py.interpreter().phrase(),
                    exited ? "called sys.exit()" : "raised an exception", error.traceback(py)));
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
    log(py, message,
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

}  // namespace

bool add_events(Attached&, PyObject* module) {
  const Ref callbacks = Ref::steal(PyList_New(0));
  return callbacks && PyModule_AddFunctions(module, methods) == 0 &&
         PyObject_SetAttrString(module, kShutdownCallbacks, callbacks.get()) == 0;
}

void publish_process_stopping(Attached& py, std::string_view reason, const BeforeCallback& before) {
  const Ref callbacks = callbacks_or_null(py, kProcessStopping, kShutdownCallbacks);
  if (!callbacks) return;
  Dispatch dispatch(kProcessStopping, before);
  const Ref payload = Ref::steal(
      Py_BuildValue("{s:s#}", "shutdown_reason", reason.data(), Py_ssize_t(reason.size())));
  if (!payload) return dispatch.log_failure(py);
  dispatch.run(py, callbacks.get(), payload.get());
}

}  // namespace pyhost::pyapi
